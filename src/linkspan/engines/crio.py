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

_ITS_OWN = ("inherit_default_runtime", "platform_runtime_paths", "runtime_config_path", "stream_websockets")
"""Keys that put another program in the place of ``runtime_path``, or that CRI-O refuses of an entry of the type oci.

See ``ValidateRuntimes`` and ``RuntimeHandler.Validate`` of its pkg/config.
"""


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
        made = [Setting(path=(*entry, "runtime_path"), value=wanted.program)]
    else:
        like = _like(merged(others, tree), wanted.name)
        value = {**like, "runtime_path": wanted.program, "runtime_type": "oci"}
        made = [Setting(path=entry, value=value, mark=("runtime_path",))]
    if wanted.default:
        made.append(Setting(path=(*RUNTIME, "default_runtime"), value=wanted.name))
    return made


def _like(tree: Tree, name: str) -> dict[str, object]:
    """The entry to take the rest from: the default runtime's, else runc's or crun's."""
    known = view(tree)
    for candidate in (known.default, "runc", "crun"):
        program = known.runtimes.get(candidate)
        if program is not None and candidate != name and owner(program) == "other":
            return _without_its_own(table(tree, *RUNTIME, "runtimes", candidate))
    return {}


def _without_its_own(entry: dict[str, object]) -> dict[str, object]:
    """What holds for another program, too: a pod's monitor is no conmon, and serves that type alone."""
    left_out = (*_ITS_OWN, "monitor_path") if entry.get("runtime_type") == "pod" else _ITS_OWN
    return {key: value for key, value in entry.items() if key not in left_out}


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
