"""The databases of an image's package managers: which files they are, and what the texts kept of them say.

That of rpm is no text: a line ``name version`` for each package is kept of it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from linkspan.formats import rpmdb

Manager = Literal["dpkg", "rpm", "apk"]

_RPM = {f"{folder}/{name}" for folder in rpmdb.FOLDERS for name in rpmdb.NAMES}
_APK = frozenset({"/lib/apk/db/installed", "/usr/lib/apk/db/installed"})
_DPKG = "/var/lib/dpkg/status"
_DISTROLESS = "/var/lib/dpkg/status.d/"
"""A file for each package, as images without dpkg have it."""


class Record(NamedTuple):
    """A package in a database; ``machine`` is its architecture where dpkg tells it."""

    name: str
    version: str
    machine: str = ""


def is_rpm(path: str) -> bool:
    """True for a database of rpm, in any of its forms."""
    return path in _RPM


def manager(path: str) -> Manager | None:
    """Whose database a file is; None for any other file."""
    if path == _DPKG or (path.startswith(_DISTROLESS) and path.count("/") == _DISTROLESS.count("/")):
        return "dpkg"
    if path in _APK:
        return "apk"
    return "rpm" if path in _RPM else None


def records(path: str, text: str) -> Iterator[Record]:
    """The packages that a database names as installed; none where it is no database."""
    whose = manager(path)
    return _READERS[whose](text) if whose else iter(())


def _rpm(text: str) -> Iterator[Record]:
    lines = (line.partition(" ") for line in text.splitlines())
    return (Record(name, version) for name, _, version in lines if name)


def _apk(text: str) -> Iterator[Record]:
    blocks = (dict(_fields(block, ":")) for block in text.split("\n\n"))
    return (Record(one["P"], one.get("V", "")) for one in blocks if one.get("P"))


def _dpkg(text: str) -> Iterator[Record]:
    """A package that was removed and left its configuration is none any more."""
    for block in re.split(r"\n\s*\n", text):
        one = dict(_fields(block, ": "))
        if one.get("Package") and not one.get("Status", "").endswith(("config-files", "not-installed")):
            yield Record(one["Package"], one.get("Version", ""), one.get("Architecture", ""))


def _fields(block: str, separator: str) -> Iterator[tuple[str, str]]:
    for line in block.splitlines():
        name, found, value = line.partition(separator)
        if found and not line.startswith((" ", "\t")):
            yield name, value.strip()


_READERS: dict[Manager, Callable[[str], Iterator[Record]]] = {"dpkg": _dpkg, "rpm": _rpm, "apk": _apk}
