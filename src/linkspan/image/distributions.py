"""The Python packages of an image, by the metadata that installers leave beside them."""

import re
from collections.abc import Iterator

from linkspan.facts.model import Model
from linkspan.image.model import Entry, Image

_METADATA = re.compile(
    r"(?P<site>.*/(?:site|dist)-packages)/(?P<name>[^/]+?)-(?P<version>[^-/]+?)"
    r"(?:\.dist-info/METADATA|(?:-py3\.\d+)?\.egg-info/PKG-INFO)"
)
_ENDINGS = (".dist-info/METADATA", ".egg-info/PKG-INFO")
"""Of wheels; and of what setuptools installed itself, as in conda's and distributions' packages."""
_FIELD = re.compile(r"^(Version|Requires-Dist): *(.+?) *$", re.MULTILINE)
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*\(?\s*==\s*(?P<version>[0-9A-Za-z.+!]+)\s*\)?")
_FOREIGN = re.compile(r"extra\s*==|win32|[Ww]indows|[Dd]arwin|sys_platform\s*!=\s*['\"]linux")


class Distribution(Model, frozen=True, kw_only=True):
    """An installed Python package: ``name`` in small letters and with hyphens (PEP 503), ``site`` its folder.

    ``pins`` are the packages that it asks for in exactly one version, on Linux and without extras.
    """

    name: str
    version: str
    path: str
    site: str
    pins: dict[str, str] = {}

    @property
    def numbers(self) -> tuple[int, ...]:
        """The leading numbers of the version: ``(2, 4, 1)`` of ``2.4.1+cu121``."""
        found = re.match(r"\d+(?:\.\d+)*", self.version[:64])
        return tuple(map(int, found[0].split("."))) if found else ()

    @property
    def local(self) -> str:
        """What follows the plus sign of the version: ``cu121``, ``cpu``."""
        return self.version.partition("+")[2]


def plain(name: str) -> str:
    """A package's name as all spellings of it are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(image: Image) -> Iterator[Distribution]:
    """The packages of every folder of packages."""
    for path, entry in image.entries.items():
        if path.endswith(_ENDINGS) and (found := _METADATA.fullmatch(path)):
            fields = _FIELD.findall(entry.text or "")
            version = next((value for key, value in fields if key == "Version"), found["version"])
            yield Distribution(
                name=plain(found["name"]),
                version=version,
                path=path,
                site=found["site"],
                pins=dict(_pins(value for key, value in fields if key == "Requires-Dist")),
            )


def _pins(requirements: Iterator[str]) -> Iterator[tuple[str, str]]:
    for text in requirements:
        wanted, _, marker = text.partition(";")
        found = None if _FOREIGN.search(marker) else _REQUIREMENT.fullmatch(wanted.strip())
        if found:
            yield plain(found["name"]), found["version"]


def files_of(image: Image, site: str, folder: str) -> Iterator[Entry]:
    """The files of a package's folder."""
    top = f"{site}/{folder}/"
    return (entry for path, entry in image.entries.items() if path.startswith(top) and entry.kind == "file")
