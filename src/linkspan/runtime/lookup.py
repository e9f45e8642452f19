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


class Setup:
    """What the launcher says: the state folder, the hook's path and the command that starts the full program."""

    __slots__ = ("full_program", "hook", "state")

    def __init__(self, state: str, hook: str, full_program: "list[str]") -> None:
        self.state = state
        self.hook = hook
        self.full_program = full_program


class Found:
    """The ``switches`` of the configuration, a container's request ``view``, and its ready-made ``edits``.

    ``stamps`` are those under which the edits hold.
    """

    __slots__ = ("edits", "stamps", "switches", "view")

    def __init__(
        self,
        switches: "dict[str, Any]",
        view: "dict[str, Any]",
        edits: "dict[str, Any]",
        stamps: "list[list[str]]",
    ) -> None:
        self.switches = switches
        self.view = view
        self.edits = edits
        self.stamps = stamps


def find(setup: Setup, caller: str, config_path: str, spec: "dict[str, Any]", config_json: bytes) -> Found:
    """The edits for a container whose config.json this is, ready-made or made now.

    Raises the LinkspanError that says why there are none.
    """
    switches = read_switches(setup.state, config_path, variable("PATH"))
    if switches is not None:
        view = _view(spec, switches)
        ready = read_edits(setup.state, caller, view, switches)
        if ready is not None:
            return Found(switches, view, ready["edits"], ready["stamps"])
    made = _ask_full_program(setup, caller, config_path, config_json)
    return Found(made["switches"], _view(spec, made["switches"]), made["edits"], made["stamps"])


def find_switches(setup: Setup, config_path: str) -> "dict[str, Any]":
    """The switches of the configuration alone, ready-made or made now. Raises LinkspanError where there are none."""
    ready = read_switches(setup.state, config_path, variable("PATH"))
    if ready is not None:
        return ready
    made: dict[str, Any] = _ask_full_program(setup, state.WRAPPER, config_path, b"{}")["switches"]
    return made


def _ask_full_program(setup: Setup, caller: str, config_path: str, config_json: bytes) -> "dict[str, Any]":
    from linkspan.runtime.full_program import run_full_program  # most starts find their edits

    return run_full_program(setup, caller, config_path, variable("PATH"), config_json)


def _view(spec: "dict[str, Any]", switches: "dict[str, Any]") -> "dict[str, Any]":
    return oci.request_view(spec, switches["env_names"], switches["annotation_prefixes"])


def variable(name: str) -> str:
    """A variable of the engine's environment; empty where it is not set."""
    return os.environ.get(name.encode(), b"").decode("utf-8", "surrogateescape")


def config_path() -> str:
    """The toolkit's configuration file, as the engine's environment names it."""
    return state.config_path(variable("NVIDIA_CTK_CONFIG_FILE_PATH"), variable("XDG_CONFIG_HOME"))


def read_switches(folder: str, config_path: str, search_path: str) -> "dict[str, Any] | None":
    """The switches for this configuration file and engine PATH, or None where they have to be read anew."""
    switches = _read_own(f"{folder}/switches/{state.caller_name(config_path, search_path)}")
    if switches is None or switches.get("version") != state.VERSION:
        return None
    if switches["config"] != config_path or switches["path"] != search_path or stamps.stale(switches["stamps"]):
        return None
    return switches


def read_edits(folder: str, caller: str, view: "dict[str, Any]", switches: "dict[str, Any]") -> "dict[str, Any] | None":
    """The ready-made ``edits`` for a request view with their ``stamps``, or None where they have to be made anew."""
    found = _read_own(f"{folder}/{state.edits_name(view, switches, caller)}")
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
