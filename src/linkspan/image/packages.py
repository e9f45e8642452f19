"""What is installed in an image, by the databases of its package managers."""

import re
from collections.abc import Iterable, Iterator

from linkspan.formats import rpmdb
from linkspan.image.databases import is_rpm, manager, records
from linkspan.image.model import Entry, Image, Package

_CONDA = re.compile(r"/conda-meta/([^/]+)-([^-/]+)-[^-/]+\.json$")
_WHEEL = re.compile(r"/(?:site|dist)-packages/([^/]+)-([^-/]+)\.dist-info/METADATA$")
_NAMES = frozenset({"METADATA", "status", "installed", *rpmdb.NAMES})
_INFO = "/var/lib/dpkg/info"


def installed(image: Image) -> tuple[Package, ...]:
    """The packages of all managers, a name of pip's in small letters and with hyphens (PEP 503)."""
    return image.kept(_all)  # a dozen rules ask, and the database of dpkg has megabytes


def _all(image: Image) -> tuple[Package, ...]:
    return tuple(_installed(image))


def named(image: Image, pattern: re.Pattern[str], *managers: str) -> list[Package]:
    """The packages whose whole name fits, of these managers, or of all where none is named."""
    wanted = (package for package in installed(image) if not managers or package.manager in managers)
    return [package for package in wanted if pattern.fullmatch(package.name)]


def wheels(image: Image) -> frozenset[str]:
    """The names of what pip or conda installed: frameworks come by either."""
    return frozenset(package.name for package in installed(image) if package.manager in ("pip", "conda"))


def first_layer(packages: Iterable[Package]) -> int | None:
    """The lowest of the layers that packages came with; None where that is told by their paths alone."""
    return min((one.layer for one in packages if one.layer is not None), default=None)


def _installed(image: Image) -> Iterator[Package]:
    # Hundreds of thousands of files, and a few names among them: the index of names is there already.
    names = (name for name in image.by_name if name in _NAMES or name.endswith(".json"))
    entries = [entry for name in names for entry in image.by_name[name]]
    entries += [entry for path, entry in image.entries.items() if path.startswith("/var/lib/dpkg/status.d/")]
    for entry in entries:
        if not is_rpm(entry.path) or not _is_left_over(image, entry):
            yield from _packages(image, entry)


def _is_left_over(image: Image, entry: Entry) -> bool:
    """True for a database of rpm beside one of a newer form, which it was made into and which is kept since."""
    newer = rpmdb.NAMES[: rpmdb.NAMES.index(entry.name)]
    return any((other := image.get(f"{entry.folder}/{name}")) and other.text for name in newer)


def _packages(image: Image, entry: Entry) -> Iterator[Package]:
    path = entry.path
    if match := _WHEEL.search(path):
        yield Package(name=re.sub(r"[-_.]+", "-", match[1]).lower(), version=match[2], manager="pip", path=path)
    elif match := _CONDA.search(path):
        yield Package(name=match[1], version=match[2], manager="conda", path=path)
    elif entry.text and (whose := manager(path)):
        layers = image.arrivals.get(path, {})
        for name, version, machine in records(path, entry.text):
            listing = _listing(image, name, machine) if whose == "dpkg" else None
            layer = listing.layer if listing else layers.get(f"{name} {version}")
            place = listing.path if listing else path
            yield Package(name=name, version=version, manager=whose, path=place, layer=layer)


def _listing(image: Image, name: str, machine: str) -> Entry | None:
    """The list of a package's files, which dpkg keeps beside the status of all: it came with the package's layer."""
    return image.get(f"{_INFO}/{name}.list") or image.get(f"{_INFO}/{name}:{machine}.list")
