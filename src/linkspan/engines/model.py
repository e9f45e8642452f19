"""What is wanted of an engine, what its files say, and what an edit did."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Literal, Protocol

import msgspec

Key = tuple[str, ...]
"""A setting with the tables it is in: ``("runtimes", "nvidia", "path")``."""

Tree = Mapping[str, Any]
"""A parsed file: tables as mappings, values as they are."""

Activation = Literal["none", "reload", "restart"]
"""What a daemon needs before it knows of an edit, the weakest first."""

OURS = "linkspan-runtime"
"""The name of the program that a runtime entry of ours starts, wherever it is installed."""
NVIDIAS = "nvidia-container-runtime"
"""How the names of NVIDIA's own runtime programs begin."""

MISSING: Any = object()


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What ``configure`` was asked for; ``cdi`` None: as the engine's version needs it."""

    name: str = "nvidia"
    program: str = "/usr/local/bin/linkspan-runtime"
    default: bool = False
    cdi: bool | None = None
    replace: bool = False
    version: tuple[int, ...] = ()
    """The engine's version, empty where it is not known."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A value to be set.

    ``mark`` is for an entry of several values that comes and goes as a whole: the key inside it that tells whose it is.
    """

    path: Key
    value: Any
    mark: Key = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that was made, and what undo has to know."""

    path: Key
    new: Any
    old: str | None = None
    """The text of the value that stood there; None where none did."""
    mark: Key = ()
    made: tuple[Key, ...] = ()
    """The tables above that were not there before, outermost first."""
    headers: tuple[Key, ...] = ()
    """The tables above that got a header, which they had not."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What a file, or several of them together, say about runtimes."""

    runtimes: dict[str, str] = {}
    """The program of each runtime by its name; what is no program, such as a shim's type, stands there as it is."""
    default: str = ""
    """The default runtime, empty where it is not named."""
    cdi: bool | None = None
    """The CDI switch, None where it is not set or the engine has none."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration file as it was read; ``data`` None where there is none."""

    path: str
    data: bytes | None = None

    @property
    def text(self) -> str:
        """The text, empty where there is no file."""
        return (self.data or b"").decode()


class Rules(Protocol):
    """What a module has to know of its engine; all of it is pure."""

    TITLE: str
    PROGRAM: str
    """The daemon's program, empty where the engine has no daemon."""
    UNITS: tuple[str, ...]
    """The systemd units that may run it."""
    SEED: str
    """What a file begins with that was not there."""

    @property
    def SYNTAX(self) -> ModuleType:  # noqa: N802  # a constant of the module
        """The module that edits its files."""

    def view(self, tree: Tree) -> View:
        """What a parsed file says."""

    def settings(self, tree: Tree, others: Tree, wanted: Wanted) -> list[Setting]:
        """The settings to make in a file that says ``tree``, where the files read before it together say ``others``."""

    def activation(self, changes: tuple[Change, ...], *, undone: bool) -> Activation:
        """What the daemon needs after these changes were made, or undone."""

    def notes(self, tree: Tree, wanted: Wanted) -> list[str]:
        """What is worth a sentence, although it stops nothing."""

    def needs_cdi_switch(self, version: tuple[int, ...]) -> bool | None:
        """Whether CDI is off in this version until it is switched on; None where it has no switch."""


def get(tree: Any, path: Key, default: Any = MISSING) -> Any:
    """The value at ``path``, ``default`` where there is none."""
    for part in path:
        if not isinstance(tree, Mapping) or part not in tree:
            return default
        tree = tree[part]
    return tree


def table(tree: Tree, *path: str) -> dict[str, Any]:
    """The table at ``path``; an empty one where there is none, or something else."""
    found = get(tree, path, {})
    return found if isinstance(found, dict) else {}


def merged(below: Tree, above: Tree) -> dict[str, Any]:
    """Two trees as one: tables are joined, for all else ``above`` wins."""
    both = dict(below)
    for key, value in above.items():
        old = both.get(key)
        both[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return both


def owner(program: str) -> str:
    """Whose program this is: ``linkspan``, ``nvidia`` or ``other``."""
    name = program.rpartition("/")[2]
    if name == OURS:
        return "linkspan"
    return "nvidia" if name.startswith(NVIDIAS) else "other"
