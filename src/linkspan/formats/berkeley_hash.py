"""The values of a Berkeley DB hash, as rpm kept its packages until RHEL 8: ``Packages``.

Pages of one size, the first of which tells it. A page has a header of 26 bytes; on a hash page offsets of items follow,
keys and values in turn, whose bytes are packed at the page's end. An item begins with its kind: a short one is there
itself, a long one is a chain of overflow pages. Numbers are in the byte order of the machine that wrote the file, which
the magic number tells (Berkeley DB, src/dbinc/db_page.h, of versions 4.3 to 5.3).
"""

from collections.abc import Callable, Iterator
from functools import partial
from struct import unpack_from
from typing import NamedTuple

from linkspan.errors import FormatError

Pread = Callable[[int, int], bytes]

_MAGIC = 0x061561
_VERSIONS = (8, 9, 10)
_META, _UNSORTED, _SORTED, _OVERFLOW = 8, 2, 13, 7
"""Kinds of pages, the last byte of their header."""
_CHECKSUMS = 1
_HEADER = 26
_HERE, _LONG = b"\1", b"\3"
"""Kinds of items; the others are for keys with several values, which rpm has none of: they are empty here."""


class _File(NamedTuple):
    pread: Pread
    order: str
    page: int
    last: int


def is_hash(head: bytes) -> bool:
    """True for the first bytes of such a file."""
    return len(head) >= 72 and _order(head) != "" and head[25] == _META


def values(pread: Pread, size: int) -> Iterator[Callable[[int], bytes]]:
    """Each value, as a function for its first bytes; FormatError where the file cannot be followed.

    Every page is looked at, whichever bucket it is of: a page that is in no use has another kind.
    """
    file = _opened(pread, size)
    for at in range(file.page, (file.last + 1) * file.page, file.page):
        head = pread(at, _HEADER)
        if len(head) == _HEADER and head[25] in (_UNSORTED, _SORTED):
            yield from _items(file, pread(at, file.page))


def _opened(pread: Pread, size: int) -> _File:
    head = pread(0, 72)
    if not is_hash(head):
        raise FormatError("this is not a hash of Berkeley DB")
    order = _order(head)
    version, page = unpack_from(f"{order}II", head, 16)
    if version not in _VERSIONS:
        raise FormatError(f"this hash of Berkeley DB is of the unknown version {version}")
    if page not in (1 << bit for bit in range(9, 17)):
        raise FormatError(f"this hash of Berkeley DB claims pages of {page} bytes")
    if head[24] or head[26] & _CHECKSUMS:
        raise FormatError("this hash of Berkeley DB is encrypted or has checksums, which rpm's never have")
    last = unpack_from(f"{order}I", head, 32)[0]
    if (last + 1) * page > size:
        raise FormatError(f"this hash of Berkeley DB is cut off: it has {size} bytes of {(last + 1) * page}")
    return _File(pread, order, page, last)


def _order(head: bytes) -> str:
    return next((order for order in "<>" if unpack_from(f"{order}I", head, 12)[0] == _MAGIC), "")


def _items(file: _File, page: bytes) -> Iterator[Callable[[int], bytes]]:
    count = unpack_from(f"{file.order}H", page, 20)[0] if len(page) == file.page else 0
    if _HEADER + 2 * count > len(page):
        raise FormatError(f"this hash of Berkeley DB claims {count} items on a page of {file.page} bytes")
    ends = [file.page, *unpack_from(f"{file.order}{count}H", page, _HEADER)]
    for number in range(1, count, 2):
        item = page[ends[number + 1] : ends[number]]
        if item[:1] == _LONG and len(item) >= 12:
            yield partial(_long, file, *unpack_from(f"{file.order}II", item, 4))
        else:
            yield partial(_short, item[1:] if item[:1] == _HERE else b"")


def _short(data: bytes, wanted: int) -> bytes:
    return data[:wanted]


def _long(file: _File, number: int, length: int, wanted: int) -> bytes:
    """The first bytes of a chain; one that leads round in a circle ends with what is wanted."""
    parts = []
    missing = min(wanted, length)
    while missing > 0:
        page = file.pread(number * file.page, file.page)
        if len(page) < _HEADER or page[25] != _OVERFLOW:
            raise FormatError(f"this hash of Berkeley DB has no page {number} of a long value")
        number, _, held = unpack_from(f"{file.order}IHH", page, 16)
        if not 0 < held <= len(page) - _HEADER:
            raise FormatError(f"this hash of Berkeley DB claims {held} bytes on a page of {file.page}")
        parts.append(page[_HEADER : _HEADER + min(held, missing)])
        missing -= held
    return b"".join(parts)
