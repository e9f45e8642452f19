"""Copies of CUDA's libraries: the same library from CUDA's packages, from wheels, from conda."""

import re
from typing import NamedTuple

from linkspan.check.pieces import part_by_name
from linkspan.image import driver
from linkspan.image.layers import weight
from linkspan.image.model import Entry, Image

_HASH = re.compile(r"-[0-9a-f]{8}(?=\.so)")
_CACHE = re.compile(r"/(\.cache|pkgs)/")
_PLACE = re.compile(r"(.*?/(?:site|dist)-packages|/usr/local/cuda[^/]*|/opt/(?:mini)?conda[^/]*)/")


class Copies(NamedTuple):
    """A library that is there more than once: what it is called, its files, and the bytes beyond the largest one."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def waste(self) -> int:
        """The bytes of all but the largest."""
        return weight(self.entries) - max(entry.size for entry in self.entries)

    @property
    def places(self) -> tuple[str, ...]:
        """Where they stand: folders of packages, CUDA's own, or the file's."""
        return tuple(dict.fromkeys(place(entry) for entry in self.entries))


def copies(image: Image) -> list[Copies]:
    """The libraries of CUDA, cuDNN, NCCL and TensorRT that are there more than once, the most costly first."""
    found: dict[str, list[Entry]] = {}
    for entry in image.entries.values():
        if _counts(entry):
            found.setdefault(_HASH.sub("", entry.name).partition(".so")[0], []).append(entry)
    several = (Copies(name, tuple(entries)) for name, entries in found.items() if len(entries) > 1)
    return sorted(several, key=lambda one: (-one.waste, one.name))


def place(entry: Entry) -> str:
    """The folder that a copy belongs to: of packages, of CUDA, of conda, or the one it stands in."""
    found = _PLACE.match(entry.path)
    return found[1] if found else entry.folder


def _counts(entry: Entry) -> bool:
    # A hard link is one file twice, a stub no copy, and a cache has a rule of its own.
    whole = entry.kind == "file" and entry.size > 0 and not entry.target
    if not whole or ".so" not in entry.name or driver.is_stub(entry) or _CACHE.search(entry.path):
        return False
    return part_by_name(entry.path) in ("cuda", "cudnn")
