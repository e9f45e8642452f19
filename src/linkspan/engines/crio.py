"""CRI-O's ``crio.conf``: which settings make a runtime and the default runtime. CDI is always on."""

from linkspan.engines import tomltext as SYNTAX  # noqa: N812  # a constant of these rules
from linkspan.engines.model import Activation, Change, Setting, Tree, View, Wanted, get, merged, owner, table
from linkspan.errors import ConfigError

__all__ = ["PROGRAM", "SEED", "SYNTAX", "TITLE", "UNITS", "activation", "needs_cdi_switch", "notes", "settings", "view"]

TITLE = "CRI-O"
PROGRAM = "crio"
UNITS: tuple[str, ...] = ("crio",)
SEED = ""

RUNTIME = ("crio", "runtime")
_PLAIN = ("", "oci")
"""The types of runtimes that are started as runc is; the others are a virtual machine's, or a pod's."""
_OF_OTHERS = ("inherit_default_runtime", "platform_runtime_paths")
"""What makes CRI-O start another program than ``runtime_path`` (crio.conf(5))."""


def view(tree: Tree) -> View:
    """The runtimes and the default one."""
    runtimes = get(tree, (*RUNTIME, "runtimes"), {})
    if not isinstance(runtimes, dict) or not isinstance(get(tree, RUNTIME, {}), dict):
        raise ConfigError("'crio.runtime' or 'crio.runtime.runtimes' is no table, so that CRI-O cannot start with it")
    return View(
        runtimes={
            name: str(entry.get("runtime_path", "")) if isinstance(entry, dict) else ""
            for name, entry in runtimes.items()
        },
        default=str(table(tree, *RUNTIME).get("default_runtime", "")),
    )


def settings(tree: Tree, others: Tree, wanted: Wanted) -> list[Setting]:
    """What is to be set. A new entry is like the default runtime's, which knows where this host's conmon is."""
    entry = (*RUNTIME, "runtimes", wanted.name)
    if isinstance(get(tree, entry, None), dict):
        needed = {"runtime_path": wanted.program, **_corrections(table(tree, *entry))}
        made = [Setting(path=(*entry, key), value=value) for key, value in needed.items()]
    else:
        like = _like(merged(others, tree), wanted.name)
        value = {**like, "runtime_path": wanted.program, "runtime_type": "oci"}
        made = [Setting(path=entry, value=value, mark=("runtime_path",))]
    if wanted.default:
        made.append(Setting(path=(*RUNTIME, "default_runtime"), value=wanted.name))
    return made


def _corrections(entry: Tree) -> dict[str, object]:
    """What keeps an entry that is there from starting ours: another type, and other programs."""
    needed: dict[str, object] = {}
    if entry.get("runtime_type", "") not in _PLAIN:
        others = {"runtime_type": "oci", "runtime_config_path": "", "stream_websockets": False}
        needed = {key: value for key, value in others.items() if key in entry}
    if entry.get("inherit_default_runtime"):
        needed["inherit_default_runtime"] = False
    if entry.get("platform_runtime_paths"):
        needed["platform_runtime_paths"] = {}
    return needed


def _like(tree: Tree, name: str) -> dict[str, object]:
    """The entry to take the rest from: the default runtime's, else runc's or crun's."""
    known = view(tree)
    for candidate in (known.default, "runc", "crun"):
        program = known.runtimes.get(candidate)
        entry = table(tree, *RUNTIME, "runtimes", candidate)
        is_plain = entry.get("runtime_type", "") in _PLAIN
        if program is not None and candidate != name and owner(program) == "other" and is_plain:
            return {key: value for key, value in entry.items() if key not in _OF_OTHERS}
    return {}


def needs_cdi_switch(version: tuple[int, ...]) -> bool | None:  # the same in all versions
    """CRI-O has no switch."""
    return None


def activation(changes: tuple[Change, ...], *, undone: bool) -> Activation:  # the same both ways
    """A restart, which leaves containers running; not every version reads runtimes on a reload."""
    return "restart" if changes else "none"


def notes(tree: Tree, wanted: Wanted) -> list[str]:
    """Nothing so far."""
    del tree, wanted
    return []
