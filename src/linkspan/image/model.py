"""An image as data: its configuration, its layers, and every file of it with the layer that it came with.

Whoever reads an image makes an ``Image``; whoever judges one looks at nothing else. Paths are those in the container,
absolute and normal (``/usr/lib/libcuda.so.1``).
"""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Literal, TypeVar, cast

import msgspec

from linkspan.facts.model import Model

T = TypeVar("T")

MISSING_LAYER = "is not with the image"
"""Words in ``Image.refused`` by which a whole layer that could not be read is known."""
Kind = Literal["file", "link", "folder", "char", "block", "fifo"]


class Config(Model, frozen=True, kw_only=True):
    """What an image's configuration says (OCI image specification, config.md); ``env`` as it stands there.

    ``is_there`` is False for a plain folder: what such an image does not say, its maker may have said elsewhere.
    """

    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    labels: dict[str, str] = {}
    architecture: str = ""
    os: str = ""
    created: str = ""
    is_there: bool = True

    @property
    def variables(self) -> dict[str, str]:
        """The variables by name: of two of a name the later one counts."""
        return {name: value for name, _, value in (entry.partition("=") for entry in self.env)}


class Layer(Model, frozen=True, kw_only=True):
    """A layer: ``number`` from 0, the lowest; ``size`` in bytes as it is stored, ``unpacked`` that of its files.

    ``command`` is what made it, as the image's history tells, empty where it does not.
    """

    number: int
    digest: str = ""
    size: int = 0
    unpacked: int = 0
    command: str = ""


class Elf(Model, frozen=True, kw_only=True):
    """What is known of an ELF file: machine and bits of its header, and its dynamic section.

    ``needs`` are the names in DT_NEEDED, ``versions`` the symbol versions it takes from each of them
    (``libc.so.6``: ``GLIBC_2.34``). ``runpath`` is its DT_RUNPATH, ``rpath`` its DT_RPATH, which counts where it has no
    DT_RUNPATH: it comes before LD_LIBRARY_PATH and is for what its libraries need, too. ``architectures`` are the GPU
    architectures for which it holds code (``sm_90``, ``compute_90`` for PTX), empty where it holds none; None where
    that was not looked for.
    """

    machine: int
    bits: int
    soname: str = ""
    needs: tuple[str, ...] = ()
    versions: dict[str, tuple[str, ...]] = {}
    runpath: str = ""
    rpath: str = ""
    interpreter: str = ""
    architectures: tuple[str, ...] | None = None


class Entry(Model, frozen=True, kw_only=True):
    """A path of an image, as its container sees it.

    ``layer`` is the number of the layer that it came with. ``target`` is a symlink's text, or the path of the other
    name of a hard link. ``head`` are the first bytes of a file, ``text`` its whole content where it is a small text
    that somebody wants (package databases, metadata of wheels, os-release, loader configuration).
    """

    path: str
    kind: Kind
    layer: int
    size: int = 0
    mode: int = 0o644
    uid: int = 0
    target: str = ""
    head: bytes = b""
    text: str | None = None
    elf: Elf | None = None

    @property
    def name(self) -> str:
        """The last component of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The folder it stands in."""
        return self.path.rpartition("/")[0] or "/"


class Hidden(Model, frozen=True, kw_only=True):
    """Bytes that an image carries and no container sees: a file of one layer that a later one covers or removes."""

    path: str
    layer: int
    size: int
    by: int


class Package(Model, frozen=True, kw_only=True):
    """A package that is installed: ``path`` is the file of its database that tells of it.

    ``layer`` is the number of the layer that it came with, None where that is the file's own.
    """

    name: str
    manager: Literal["dpkg", "rpm", "apk", "conda", "pip"]
    version: str = ""
    path: str = ""
    layer: int | None = None


class Image(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """An image. ``source`` is how findings call it, ``refused`` what was left out of it and why (hostile entries).

    ``arrivals`` tells, by the path of a package manager's database, which layer brought what that names
    (``name version``).
    """

    source: str
    config: Config = Config()
    layers: tuple[Layer, ...] = ()
    entries: dict[str, Entry] = {}
    hidden: tuple[Hidden, ...] = ()
    refused: tuple[str, ...] = ()
    arrivals: dict[str, dict[str, int]] = {}

    def get(self, path: str) -> Entry | None:
        """The entry at exactly this path; a symlink is not followed."""
        return self.entries.get(path)

    def resolve(self, path: str) -> Entry | None:
        """The entry that a path leads to, every symlink followed below the image's root; None where nowhere."""
        done: list[str] = []
        ahead = [part for part in path.split("/") if part][::-1]
        links = 0
        while ahead:
            part = ahead.pop()
            if part in ("", "."):
                continue
            if part == "..":
                done = done[:-1]
                continue
            entry = self.entries.get("/" + "/".join([*done, part]))
            if entry is not None and entry.kind == "link" and entry.target:
                links += 1
                if links > 40:
                    return None
                done = [] if entry.target.startswith("/") else done
                ahead += entry.target.split("/")[::-1]
            else:
                done.append(part)
        return self.entries.get("/" + "/".join(done))

    def glob(self, pattern: str) -> Iterator[Entry]:
        """The entries whose path matches a shell pattern, in which ``*`` matches slashes, too."""
        return (entry for path, entry in self.entries.items() if fnmatchcase(path, pattern))

    @cached_property
    def by_name(self) -> dict[str, list[Entry]]:
        """The entries by their last component, folders left out."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries.values():
            if entry.kind != "folder":
                found.setdefault(entry.name, []).append(entry)
        return found

    @cached_property
    def elves(self) -> tuple[Entry, ...]:
        """The ELF files."""
        return tuple(entry for entry in self.entries.values() if entry.elf is not None)

    def kept(self, make: "Callable[[Image], T]") -> T:
        """What a function makes of this image. It is made once and stays with the image: many rules ask for it."""
        key = f"{make.__module__}.{make.__qualname__}"
        if key not in self.__dict__:
            self.__dict__[key] = make(self)
        return cast("T", self.__dict__[key])

    def layer(self, number: int) -> Layer:
        """The layer of this number."""
        return self.layers[number] if number < len(self.layers) else Layer(number=number)
