"""The state folder: what the full program keeps so that the next container start does not need it.

The layout is in ``formats.state``. Everything is written whole, by rename, readable by all and writable by us alone; a
folder that cannot be written (a full disk, a rootless user) costs time at the next start, and nothing else.
"""

import contextlib
import os
from typing import Any

from linkspan.errors import ConfigError, KernelError, LinkspanError
from linkspan.facts import snapshot
from linkspan.facts.host import Search
from linkspan.facts.model import HostFacts, Stamp
from linkspan.formats import fastjson, state
from linkspan.formats.toolkit_config import ToolkitConfig, parse
from linkspan.kernel import files, stamps, trees

EDITS_KEPT = 512
"""Files below ``edits``. What is kept is decided by requests, which strangers write, so their number has a bound."""

SETTINGS_KEPT = 64
"""Of different configuration files and PATHs: more than a host has engines."""

DEFAULT_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def read_config(path: str) -> tuple[ToolkitConfig, Stamp]:
    """The configuration and the stamp of its file; the defaults where there is none (contract 1.1)."""
    stamp = Stamp(kind="file", path=path, value=stamps.take("file", path))
    try:
        with open(path, "rb") as file:
            return parse(file.read(), path), stamp
    except FileNotFoundError:
        return ToolkitConfig(), Stamp(kind="absent", path=path)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", subject=path) from None


def switches(config: ToolkitConfig, stamp: Stamp, search_path: str, *, need_runtime: bool = True) -> dict[str, Any]:
    """What the start path needs of a configuration, with the stamp of the file that it came from.

    Raises ConfigError where there is no low-level runtime and one is needed; a hook needs none.
    """
    runtime = config.nvidia_container_runtime
    env_names = [name.strip() for name in config.swarm_resource.split(",") if name.strip()]
    prefixes = list(runtime.modes.cdi.annotation_prefixes)
    return {
        "version": state.VERSION,
        "config": stamp.path,
        "path": search_path,
        "stamps": stamp_list((stamp,)),
        "low_level": find_low_level(runtime.runtimes, search_path, needed=need_runtime),
        "env_names": env_names,
        "annotation_prefixes": prefixes,
        # In mode legacy every container gets the prestart hook, also one that asks for nothing.
        "every": runtime.mode == "legacy",
        "request_words": state.request_words(env_names, prefixes),
        "log": "" if runtime.debug == "/dev/null" else runtime.debug,
    }


def find_low_level(candidates: tuple[str, ...], search_path: str, *, needed: bool = True) -> str:
    """The absolute path of the first low-level runtime that is there (contract 2.1)."""
    for name in candidates:
        if found := find_program(name, search_path):
            return found
    if not needed:
        return ""
    raise ConfigError(
        f"no low-level runtime was found: looked for {', '.join(candidates) or 'none'}",
        hint="install runc or crun, or name one in nvidia-container-runtime.runtimes",
    )


def find_program(name: str, search_path: str) -> str:
    """The absolute path of an executable by the rules of contract 1.2 and 2.1, or an empty string."""
    folders = [""] if "/" in name else [*filter(None, search_path.split(":")), *DEFAULT_PATH]
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return os.path.abspath(path)
    return ""


def keep_switches(folder: str, document: dict[str, Any]) -> None:
    """Keep the switches, and the launcher's short form of them; not those of who needs no low-level runtime."""
    if not document["low_level"]:
        return
    name = state.caller_name(document["config"], document["path"])
    _make_room(f"{folder}/switches", SETTINGS_KEPT)
    _keep(f"{folder}/switches/{name}", fastjson.dumps(document))
    values = (document["config"], document["path"], document["low_level"])
    lists = ("request_words", "env_names", "annotation_prefixes")
    if any("\n" in value for value in (*values, *(value for name in lists for value in document[name]))):
        return  # the launcher's has one value a line; such a PATH only costs time
    _make_room(f"{folder}/settings", SETTINGS_KEPT)
    _keep(f"{folder}/settings/{name}", state.settings_text(document))


def keep_edits(folder: str, name: str, edits: dict[str, Any], of: object) -> None:
    """Keep edits under their name (``formats.state``), with the stamps (``of``) under which they hold."""
    document = {"version": state.VERSION, "stamps": of, "edits": edits}
    _make_room(f"{folder}/edits", EDITS_KEPT)
    _keep(f"{folder}/{name}", fastjson.dumps(document))


def current_facts(folder: str, search: Search) -> HostFacts:
    """The facts of this host: the saved ones while every stamp holds, else collected anew and saved."""
    saved = _saved_facts(folder, search)
    if saved is not None:
        return saved
    facts = snapshot.collect(search)
    _keep(f"{folder}/{state.FACTS}", snapshot.dumps(facts))
    return facts


def stamp_list(found: tuple[Stamp, ...]) -> list[list[str]]:
    """Stamps as the start path reads them."""
    return [[stamp.kind, stamp.path, stamp.value] for stamp in found]


def _saved_facts(folder: str, search: Search) -> HostFacts | None:
    try:
        facts = snapshot.load(f"{folder}/{state.FACTS}")
    except (LinkspanError, OSError):
        return None
    same_host = facts.root == search.root and facts.dev_root == (search.dev_root or facts.dev_root)
    fresh = stamps.stale((stamp.kind, stamp.path, stamp.value) for stamp in facts.stamps) is None
    return facts if same_host and fresh else None


def _keep(path: str, text: str) -> None:
    """Write one file of the folder; where that fails, the next start is as slow as this one."""
    try:
        trees.make_folders(os.path.dirname(path))
        files.write_whole(path, text.encode(), durable=False)
    except (KernelError, OSError):
        return


def _make_room(folder: str, limit: int) -> None:
    """Drop what is older where it is too much; where that fails, it is."""
    with contextlib.suppress(OSError):
        files.make_room(folder, limit)
