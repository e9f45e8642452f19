"""containerd's ``config.toml``, versions 1 to 4: which settings of the CRI plugin make a runtime, a default and CDI."""

import posixpath
from typing import Any

from linkspan.engines import tomltext as SYNTAX  # noqa: N812  # a constant of these rules
from linkspan.engines.model import Activation, Change, Key, Setting, Tree, View, Wanted, get, owner, table
from linkspan.errors import ConfigError

__all__ = [
    "PROGRAM", "SEED", "SYNTAX", "TITLE", "UNITS", "activation", "for_check", "has_cri", "imports", "needs_cdi_switch",
    "notes", "settings", "view",
]  # fmt: skip

TITLE = "containerd"
PROGRAM = "containerd"
UNITS: tuple[str, ...] = ("containerd",)
SEED = "version = 2\n"
"""Every containerd that is still in use reads version 2; without this line it takes a file for version 1."""

SHIM = "io.containerd.runc.v2"
CDI_SINCE = (1, 7)
CDI_ON_SINCE = (2, 0)


def plugin(tree: Tree) -> Key:
    """Where the CRI plugin's runtimes are configured, by the version of the file."""
    version = tree.get("version", 1)
    if not isinstance(version, int) or version < 0:
        raise ConfigError("'version' is no number that containerd knows", hint="correct it first")
    if version < 2:
        return ("plugins", "cri")
    return ("plugins", "io.containerd.grpc.v1.cri" if version == 2 else "io.containerd.cri.v1.runtime")


def has_cri(tree: Tree) -> bool:
    """Whether a file configures the plugin: up to 1.7, the last file that does replaces what those before it say."""
    return isinstance(get(tree, plugin(tree), None), dict)


def imports(tree: Tree) -> list[str]:
    """The files and patterns that are read after this one."""
    listed = tree.get("imports", [])
    return [item for item in listed if isinstance(item, str)] if isinstance(listed, list) else []


def for_check(text: str, folder: str) -> str:
    """The text as it can be read from another folder: with absolute imports."""
    listed = imports(SYNTAX.parse(text))
    absolute = [posixpath.join(folder, item) for item in listed]
    return text if listed == absolute else SYNTAX.put(text, ("imports",), absolute)


def view(tree: Tree) -> View:
    """The runtimes, the default one and the CDI switch."""
    cri = plugin(tree)
    for path in (cri, (*cri, "containerd"), (*cri, "containerd", "runtimes")):
        if not isinstance(get(tree, path, {}), dict):
            raise ConfigError(f"'{'.'.join(path)}' is no table, so that containerd cannot start with it")
    switch = table(tree, *cri).get("enable_cdi")
    return View(
        runtimes={name: _program(entry) for name, entry in table(tree, *cri, "containerd", "runtimes").items()},
        default=str(table(tree, *cri, "containerd").get("default_runtime_name", "")),
        cdi=switch if isinstance(switch, bool) else None,
    )


def _program(entry: Any) -> str:
    """The program of an entry, its shim where that takes the usual one."""
    if not isinstance(entry, dict):
        return ""
    options = entry.get("options")
    named = options.get("BinaryName") or options.get("Runtime") if isinstance(options, dict) else ""
    return str(named or entry.get("runtime_type") or "")


def settings(tree: Tree, others: Tree, wanted: Wanted) -> list[Setting]:
    """What is to be set. A new entry is like the default runtime's: with its cgroup driver above all.

    The last file alone counts; ``others`` is what containerd itself says, where it was asked.
    """
    cri = plugin(tree)
    runtimes = (*cri, "containerd", "runtimes")
    like = _like(tree, wanted.name) or _like(others, wanted.name)
    made = [*_stock(tree, runtimes), *_entry(tree, runtimes, wanted, like)]
    if wanted.default:
        made.append(Setting(path=(*cri, "containerd", "default_runtime_name"), value=wanted.name))
    if wanted.cdi:
        made.append(Setting(path=(*cri, "enable_cdi"), value=True))
    return made


def _stock(tree: Tree, runtimes: Key) -> list[Setting]:
    """The runtime that is there by default, for a file that names none yet.

    Up to 1.7 (seen with 1.6.20 and 1.7.24), a file that names any runtime is without it, and the plugin then does not
    start for want of its default runtime.
    """
    default = view(tree).default or "runc"
    if tree.get("version", 1) > 2 or default != "runc" or "runc" in view(tree).runtimes:
        return []
    return [Setting(path=(*runtimes, "runc"), value={"runtime_type": SHIM})]


def _entry(tree: Tree, runtimes: Key, wanted: Wanted, like: Tree) -> list[Setting]:
    entry = (*runtimes, wanted.name)
    key = _binary_key(table(tree, *entry) or like)
    if isinstance(get(tree, entry, None), dict):
        return [Setting(path=(*entry, "options", key), value=wanted.program)]
    options = {**table(like, "options"), key: wanted.program}
    value = {"runtime_type": SHIM, **like, "options": options}
    return [Setting(path=entry, value=value, mark=("options", key))]


def _binary_key(entry: Tree) -> str:
    """The oldest shim has another name for the same option."""
    return "Runtime" if entry.get("runtime_type") == "io.containerd.runtime.v1.linux" else "BinaryName"


def _like(tree: Tree, name: str) -> dict[str, Any]:
    """The entry to take the rest from: the default runtime's, else runc's or crun's."""
    known = view(tree)
    for candidate in (known.default, "runc", "crun"):
        program = known.runtimes.get(candidate)
        if program is not None and candidate != name and owner(program) == "other":
            return dict(table(tree, *plugin(tree), "containerd", "runtimes", candidate))
    return {}


def needs_cdi_switch(version: tuple[int, ...]) -> bool | None:
    """Whether ``enable_cdi`` has to be set: in 1.7, and where the version is not known."""
    if version and version < CDI_SINCE:
        return None
    return version < CDI_ON_SINCE


def activation(changes: tuple[Change, ...], *, undone: bool) -> Activation:  # the same both ways
    """A restart, which leaves containers running; containerd has no reload."""
    return "restart" if changes else "none"


def notes(tree: Tree, wanted: Wanted) -> list[str]:
    """What keeps the settings from having an effect."""
    found = []
    disabled = tree.get("disabled_plugins", [])
    if isinstance(disabled, list) and {"cri", *plugin(tree)} & set(map(str, disabled)):
        found.append("the CRI plugin is in disabled_plugins, so no Kubernetes sees this runtime until it is taken out")
    folders = table(tree, *plugin(tree)).get("cdi_spec_dirs")
    if wanted.cdi is not False and isinstance(folders, list) and not {"/etc/cdi", "/var/run/cdi"} & set(folders):
        found.append(
            f"cdi_spec_dirs names {', '.join(map(str, folders)) or 'no folder'}: CDI specs elsewhere are not seen"
        )
    if wanted.cdi is None and needs_cdi_switch(wanted.version) is False and view(tree).cdi is False:
        found.append("somebody switched CDI off by enable_cdi, and it stays off; --cdi switches it on")
    if wanted.cdi and wanted.version and wanted.version < CDI_SINCE:
        found.append(
            f"containerd {'.'.join(map(str, wanted.version))} knows no CDI, so the switch waits for version 1.7"
        )
    return found
