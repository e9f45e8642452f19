"""What is installed in an image, by the databases of its package managers.

That of rpm is no text; the reader keeps what ``rpmdb.listing`` makes of it.
"""

import re
from collections.abc import Iterator

from linkspan.image.model import Entry, Image, Package

_DPKG = re.compile(r"^/var/lib/dpkg/(status$|status\.d/[^/]+$)")
_APK = re.compile(r"^(/usr)?/lib/apk/db/installed$")
_CONDA = re.compile(r"/conda-meta/([^/]+)-([^-/]+)-[^-/]+\.json$")
_WHEEL = re.compile(r"/(?:site|dist)-packages/([^/]+)-([^-/]+)\.dist-info/METADATA$")
_RPM = re.compile(r"^(/var/lib/rpm|/usr/lib/sysimage/rpm|/usr/share/rpm)/rpmdb\.sqlite$")
_DATABASES = frozenset({"METADATA", "status", "installed", "rpmdb.sqlite"})
_INFO = "/var/lib/dpkg/info"


def installed(image: Image) -> tuple[Package, ...]:
    """The packages of all managers, a name of pip's in small letters and with hyphens (PEP 503)."""
    # Hundreds of thousands of files, and a few names among them: the index of names is there already.
    names = (name for name in image.by_name if name in _DATABASES or name.endswith(".json"))
    entries = [entry for name in names for entry in image.by_name[name]]
    entries += [entry for path, entry in image.entries.items() if path.startswith("/var/lib/dpkg/status.d/")]
    return tuple(package for entry in entries for package in _packages(image, entry.path, entry))


def named(image: Image, pattern: re.Pattern[str], *managers: str) -> list[Package]:
    """The packages whose whole name fits, of these managers, or of all where none is named."""
    wanted = (package for package in installed(image) if not managers or package.manager in managers)
    return [package for package in wanted if pattern.fullmatch(package.name)]


def wheels(image: Image) -> frozenset[str]:
    """The names of what pip or conda installed: frameworks come by either."""
    return frozenset(package.name for package in installed(image) if package.manager in ("pip", "conda"))


def _packages(image: Image, path: str, entry: Entry) -> Iterator[Package]:
    if match := _WHEEL.search(path):
        yield Package(name=re.sub(r"[-_.]+", "-", match[1]).lower(), version=match[2], manager="pip", path=path)
    elif match := _CONDA.search(path):
        yield Package(name=match[1], version=match[2], manager="conda", path=path)
    elif entry.text and _RPM.match(path):
        lines = (line.partition(" ") for line in entry.text.splitlines())
        yield from (Package(name=name, version=version, manager="rpm", path=path) for name, _, version in lines if name)
    elif entry.text and _DPKG.match(path):
        yield from _debian(image, path, entry.text)
    elif entry.text and _APK.match(path):
        blocks = (dict(_fields(block, ":")) for block in entry.text.split("\n\n"))
        known = (one for one in blocks if one.get("P"))
        yield from (Package(name=one["P"], version=one.get("V", ""), manager="apk", path=path) for one in known)


def _debian(image: Image, path: str, text: str) -> Iterator[Package]:
    """The packages of dpkg's status; one that was removed and left its configuration is none any more."""
    for block in re.split(r"\n\s*\n", text):
        one = dict(_fields(block, ": "))
        if one.get("Package") and not one.get("Status", "").endswith(("config-files", "not-installed")):
            place = _listing(image, one) or path
            yield Package(name=one["Package"], version=one.get("Version", ""), manager="dpkg", path=place)


def _listing(image: Image, one: dict[str, str]) -> str:
    """The list of a package's files: unlike the status of all it stands in the layer that installed it."""
    name, machine = one["Package"], one.get("Architecture", "")
    return next((path for tail in ("", f":{machine}") if image.get(path := f"{_INFO}/{name}{tail}.list")), "")


def _fields(block: str, separator: str) -> Iterator[tuple[str, str]]:
    for line in block.splitlines():
        name, found, value = line.partition(separator)
        if found and not line.startswith((" ", "\t")):
            yield name, value.strip()
