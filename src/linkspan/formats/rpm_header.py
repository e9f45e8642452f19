"""The header of a package, as rpm's databases keep it: an index of tags over a store of values.

Two counts lead it, those of the index' entries and of the store's bytes; an entry has tag, type, offset and count; all
numbers are in network order (rpm, docs/manual/format_header.md and tags.md).
"""

from collections.abc import Callable, Iterator
from struct import unpack_from
from typing import NamedTuple

First = Callable[[int], bytes]
"""The first bytes of a value, fewer where it is shorter: the lists of files further on have megabytes."""

_NAME, _VERSION, _RELEASE = 1000, 1001, 1002
_STRING = 6
_ENTRIES = 512
"""There are some 400 tags, and a package has about 80 of them."""
_AHEAD = 4096
"""The index and the first values, among which are the three that are wanted."""
_MOST = 256 << 10
_LONGEST = 255
_KEY = "gpg-pubkey"
"""A key that packages are checked with is kept as a package of this name."""


class Package(NamedTuple):
    """An installed package; ``version`` without the epoch, with the release: ``550.54.14-1.el9``."""

    name: str
    version: str


def package(first: First) -> Package | None:
    """What a header says of its package; None for a key, and for a header that cannot be followed."""
    try:
        words = dict(_strings(first))
    except ValueError:
        return None
    name = words[_NAME]
    if not name or name == _KEY:
        return None
    return Package(name, f"{words[_VERSION]}-{words[_RELEASE]}")


def _strings(first: First) -> Iterator[tuple[int, str]]:
    data = first(_AHEAD)
    entries = unpack_from(">I", data)[0] if len(data) >= 8 else 0
    if not 0 < entries <= _ENTRIES:
        raise ValueError("no package has so many tags")
    store = 8 + 16 * entries
    if store > len(data):
        data = first(store + _AHEAD)
    if store > len(data):
        raise ValueError("the index is cut off")
    index = unpack_from(f">{4 * entries}I", data, 8)
    tags = index[::4]
    for tag in (_NAME, _VERSION, _RELEASE):
        place = 4 * tags.index(tag)
        if index[place + 1] != _STRING:
            raise ValueError("this is no text")
        yield tag, _word(first, data, store + index[place + 2])


def _word(first: First, data: bytes, at: int) -> str:
    end = at + _LONGEST + 1
    if end > len(data) and end <= _MOST:
        data = first(end)
    text = data[at : data.index(b"\0", at, end)].decode("ascii")
    if not text.isprintable() or " " in text:
        raise ValueError("no name or version has blanks in it")
    return text
