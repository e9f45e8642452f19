"""The blobs of a table in an SQLite file, read without SQLite.

A database that comes from a stranger is more than data to SQLite: its schema is run. And to be opened it must be whole
in memory or a file that SQLite may lock. What is wanted here is little: one table, in the order that it stands there
(https://www.sqlite.org/fileformat2.html).
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from struct import unpack_from
from typing import NamedTuple

from linkspan.errors import FormatError

Pread = Callable[[int, int], bytes]

MAGIC = b"SQLite format 3\0"
_HEADER = 100
_INTERIOR, _LEAF = 5, 13
"""Kinds of pages of a table; the others are of indexes."""
_DEEPEST = 20
_START = 4096
"""How far into a row what is wanted may begin; with rpm it is after a dozen bytes."""
_TABLES = 1000
"""Rows of the schema; that of rpm has some forty."""
_FIRST_BLOB = 12
"""Types of a value from here on are blobs (even) and texts (odd), and tell the length."""
_LENGTHS = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)
"""Bytes of the types before: NULL, numbers, 0 and 1, and two that nobody writes."""


class _File(NamedTuple):
    """``usable`` is the part of each page that is not reserved for extensions."""

    pread: Pread
    size: int
    page: int
    usable: int


def values(pread: Pread, size: int, table: str) -> Iterator[Callable[[int], bytes]]:
    """The first blob of each row, as a function for its first bytes; FormatError where the file cannot be followed.

    A row without one has an empty value. A view or a virtual table is no table here.
    """
    file = _opened(pread, size)
    for row in _rows(file, _root(file, table), 0):
        blobs = (place[1:] for place in _places(row(_HEADER)) if place[0] >= _FIRST_BLOB and not place[0] % 2)
        yield partial(_part, row, *next(blobs, (0, 0)))


def _opened(pread: Pread, size: int) -> _File:
    head = pread(0, _HEADER)
    if not head.startswith(MAGIC) or len(head) < _HEADER:
        raise FormatError("this is not a database of SQLite")
    page = unpack_from(">H", head, 16)[0]
    page = 65536 if page == 1 else page
    usable = page - head[20]
    if page & (page - 1) or usable < 480:
        raise FormatError(f"this database of SQLite claims pages of {page} bytes, {head[20]} of them reserved")
    return _File(pread, size, page, usable)


def _root(file: _File, table: str) -> int:
    """The page where a table begins, by the schema's rows of type, name, table's name, page and SQL."""
    for row in islice(_rows(file, 1, 0), _TABLES):
        data = row(_START)
        texts = [data[start : start + length] for _, start, length in islice(_places(data), 4)]
        if texts[:2] == [b"table", table.encode()] and len(texts) == 4 and 0 < len(texts[3]) <= 4:
            return int.from_bytes(texts[3], "big")
    raise FormatError(f"this database of SQLite has no table {table}")


def _rows(file: _File, number: int, depth: int) -> Iterator[Callable[[int], bytes]]:
    """The records of the table that begins on a page, each as a function for its first bytes."""
    page = file.pread((number - 1) * file.page, file.page) if number > 0 else b""
    at = _HEADER if number == 1 else 0
    kind = page[at] if len(page) == file.page else 0
    if kind not in (_INTERIOR, _LEAF) or depth > _DEEPEST:
        raise FormatError(f"this database of SQLite has no part of a table on page {number}")
    count = unpack_from(">H", page, at + 3)[0]
    cells = at + (12 if kind == _INTERIOR else 8)
    if cells + 2 * count > file.usable:
        raise FormatError(f"this database of SQLite claims {count} rows on page {number}")
    for start in unpack_from(f">{count}H", page, cells):
        if kind == _LEAF:
            yield _record(file, page, start)
        else:
            yield from _rows(file, int.from_bytes(page[start : start + 4], "big"), depth + 1)
    if kind == _INTERIOR:
        yield from _rows(file, unpack_from(">I", page, at + 8)[0], depth + 1)


def _record(file: _File, page: bytes, at: int) -> Callable[[int], bytes]:
    length, at = _number(page, at)
    _, at = _number(page, at)  # the row's key
    held = _held(file.usable, length)
    here = page[at : at + held]
    after = int.from_bytes(page[at + held : at + held + 4], "big") if held < length else 0
    return partial(_first, file, here, after, length)


def _held(usable: int, length: int) -> int:
    """How many bytes of a record stand on the page itself ("B-tree Pages" of the format's description)."""
    if length <= usable - 35:
        return length
    least = (usable - 12) * 32 // 255 - 23
    held = least + (length - least) % (usable - 4)
    return held if held <= usable - 35 else least


def _first(file: _File, here: bytes, after: int, length: int, wanted: int) -> bytes:
    parts = [here[: min(wanted, length)]]
    missing = min(wanted, length) - len(here)
    while missing > 0:
        page = file.pread((after - 1) * file.page, file.page) if after else b""
        if len(page) < file.page:
            raise FormatError(f"this database of SQLite has no page {after} of a long row")
        parts.append(page[4 : min(file.usable, 4 + missing)])
        missing -= len(parts[-1])
        after = int.from_bytes(page[:4], "big")
    return b"".join(parts)


def _places(record: bytes) -> Iterator[tuple[int, int, int]]:
    """Type, start and length of each value of a record, whose own header is short enough to be in these bytes."""
    end, at = _number(record, 0)
    start = end
    while at < end:
        kind, at = _number(record, at)
        length = (kind - _FIRST_BLOB) // 2 if kind >= _FIRST_BLOB else _LENGTHS[kind]
        yield kind, start, length
        start += length


def _part(first: Callable[[int], bytes], start: int, length: int, wanted: int) -> bytes:
    return first(start + min(wanted, length))[start:] if start <= _START else b""


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, nine bytes at most, and where it ends."""
    value = 0
    for place in range(at, at + 8):
        byte = data[place] if place < len(data) else -1
        if byte < 0:
            raise FormatError("this database of SQLite has a row that is cut off")
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    if at + 8 >= len(data):
        raise FormatError("this database of SQLite has a row that is cut off")
    return value << 8 | data[at + 8], at + 9
