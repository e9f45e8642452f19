"""Docker's ``daemon.json``: which settings make a runtime, the default runtime and CDI."""

from typing import Any

from linkspan.engines import jsontext as SYNTAX  # noqa: N812  # a constant of these rules
from linkspan.engines.model import Activation, Change, Setting, Tree, View, Wanted, get, table
from linkspan.errors import ConfigError

__all__ = ["PROGRAM", "SEED", "SYNTAX", "TITLE", "UNITS", "activation", "needs_cdi_switch", "notes", "settings", "view"]

TITLE = "Docker"
PROGRAM = "dockerd"
UNITS: tuple[str, ...] = ("docker",)
SEED = ""

CDI_SINCE = (25,)
CDI_ON_SINCE = (28, 3)
"""From this version on CDI is on unless ``features.cdi`` is false; in those before it does no harm to say true."""


def view(tree: Tree) -> View:
    """The runtimes, the default one and the CDI switch of a daemon.json."""
    for key in ("runtimes", "features"):
        if not isinstance(tree.get(key, {}), dict):
            raise ConfigError(f'"{key}" is no object, so that Docker cannot start with it', hint="correct it first")
    switch = get(tree, ("features", "cdi"), None)
    return View(
        runtimes={name: _program(entry) for name, entry in table(tree, "runtimes").items()},
        default=str(tree.get("default-runtime", "")),
        cdi=switch if isinstance(switch, bool) else None,
    )


def _program(entry: Any) -> str:
    """The program of an entry; a shim has a type in its place."""
    return str(entry.get("path") or entry.get("runtimeType") or "") if isinstance(entry, dict) else ""


def settings(tree: Tree, others: Tree, wanted: Wanted) -> list[Setting]:  # Docker has this one file
    """What is to be set. Of an entry that starts another program, only the program is replaced."""
    entry = ("runtimes", wanted.name)
    made = [Setting(path=entry, value={"path": wanted.program}, mark=("path",))]
    if isinstance(get(tree, (*entry, "path"), None), str):
        made = [Setting(path=(*entry, "path"), value=wanted.program)]
    if wanted.default:
        made.append(Setting(path=("default-runtime",), value=wanted.name))
    if wanted.cdi:
        made.append(Setting(path=("features", "cdi"), value=True))
    return made


def needs_cdi_switch(version: tuple[int, ...]) -> bool | None:
    """Whether ``features.cdi`` has to be set: where it is not on by itself, and where that is not known."""
    if version and version < CDI_SINCE:
        return None
    return version < CDI_ON_SINCE


def activation(changes: tuple[Change, ...], *, undone: bool) -> Activation:
    """Runtimes and a new default are read on SIGHUP; CDI is set up, and a default taken back, only on a start."""
    paths = {change.path[0]: change for change in changes}
    taken_back = undone and "default-runtime" in paths and paths["default-runtime"].old is None
    if "features" in paths or taken_back:
        return "restart"
    return "reload" if changes else "none"


def notes(tree: Tree, wanted: Wanted) -> list[str]:
    """What is odd about CDI."""
    if wanted.cdi and wanted.version and wanted.version < CDI_SINCE:
        version = ".".join(map(str, wanted.version))
        return [f"Docker {version} knows no CDI, so the switch waits for version 25"]
    if wanted.cdi is None and needs_cdi_switch(wanted.version) is False and view(tree).cdi is False:
        return ["somebody switched CDI off by features.cdi, and it stays off; --cdi switches it on"]
    return []
