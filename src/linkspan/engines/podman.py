"""Podman's ``containers.conf``: which settings make a runtime and the default runtime. For CDI it needs none."""

from typing import Any

from linkspan.engines import tomltext as SYNTAX  # noqa: N812  # a constant of these rules
from linkspan.engines.model import Activation, Change, Setting, Tree, View, Wanted, table
from linkspan.errors import ConfigError

__all__ = ["PROGRAM", "SEED", "SYNTAX", "TITLE", "UNITS", "activation", "needs_cdi_switch", "notes", "settings", "view"]

TITLE = "Podman"
PROGRAM = ""
UNITS: tuple[str, ...] = ()
SEED = ""


def view(tree: Tree) -> View:
    """The runtimes, each with the first program of its list, and the default one."""
    engine = tree.get("engine", {})
    if not isinstance(engine, dict) or not isinstance(engine.get("runtimes", {}), dict):
        raise ConfigError("'engine' or 'engine.runtimes' is no table, so that Podman cannot read it")
    return View(
        runtimes={name: _first(programs) for name, programs in engine.get("runtimes", {}).items()},
        default=str(engine.get("runtime", "")),
    )


def _first(programs: Any) -> str:
    return str(programs[0]) if isinstance(programs, list) and programs else ""


def settings(tree: Tree, others: Tree, wanted: Wanted) -> list[Setting]:  # an entry depends on nothing
    """What is to be set; Podman takes the first program of the list that exists."""
    made = [Setting(path=("engine", "runtimes", wanted.name), value=[wanted.program])]
    if _first(table(tree, "engine", "runtimes").get(wanted.name)) == wanted.program:
        made = []
    if wanted.default:
        made.append(Setting(path=("engine", "runtime"), value=wanted.name))
    return made


def needs_cdi_switch(version: tuple[int, ...]) -> bool | None:  # the same in all versions
    """Podman has no switch."""
    return None


def activation(changes: tuple[Change, ...], *, undone: bool) -> Activation:  # nothing ever runs
    """Every podman command reads its files anew."""
    return "none"


def notes(tree: Tree, wanted: Wanted) -> list[str]:  # the same for all
    """That none of this is needed for CDI."""
    return [
        "Podman needs no configuration for CDI: 'podman run --device nvidia.com/gpu=all' works without this runtime"
    ]
