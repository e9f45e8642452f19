"""Ready-made edits: found by what the container asks for, used as long as the host is what it was.

``store.state`` writes what is read here. A miss, a stale stamp and a file that others may write all mean: not found.
"""

import _stat as stat
import posix as os

from linkspan.errors import FormatError
from linkspan.formats import fastjson, oci, state
from linkspan.kernel import stamps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FILE_LIMIT = 4 << 20
"""Bytes of a state file; the edits for 64 GPUs take a hundredth of this."""


def read_switches(folder: str, config_path: str, search_path: str) -> "dict[str, Any] | None":
    """The switches for this configuration file and engine PATH, or None where they have to be read anew."""
    switches = _read_own(f"{folder}/switches.json")
    if switches is None or switches.get("version") != state.VERSION:
        return None
    if switches["config"] != config_path or switches["path"] != search_path or stamps.stale(switches["stamps"]):
        return None
    return switches


def read_edits(folder: str, spec: "dict[str, Any]", switches: "dict[str, Any]") -> "dict[str, Any] | None":
    """The ready-made ``edits`` for this container with their ``stamps``, or None where they have to be made anew."""
    view = oci.request_view(spec, switches["env_names"], switches["annotation_prefixes"])
    found = _read_own(f"{folder}/{state.edits_name(view, switches)}")
    if found is None or found.get("version") != state.VERSION or stamps.stale(found["stamps"]):
        return None
    return found


def _read_own(path: str) -> "dict[str, Any] | None":
    """A document of the state folder that only root, or we, can have written."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        trusted = found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not trusted or not stat.S_ISREG(found.st_mode) or found.st_size > FILE_LIMIT:
            return None
        document = fastjson.loads(os.read(descriptor, found.st_size + 1).decode())
    except (OSError, UnicodeDecodeError, FormatError):
        return None
    finally:
        os.close(descriptor)
    return document if isinstance(document, dict) else None
