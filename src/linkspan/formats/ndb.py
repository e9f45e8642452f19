"""The values of an ndb database, rpm's own plain form (SUSE): ``Packages.db``.

A file is pages of slots, then blobs; all numbers are little-endian. The first two slots' room is the file's header:
magic, version, generation, pages of slots, next index. A slot has magic, index (0: free), start and length in blocks of
16 bytes. A blob has a head (magic, index, generation, length), the value, and a tail (rpm, lib/backend/ndb/rpmpkg.c
describes it).
"""

from collections.abc import Callable, Iterator
from functools import partial
from struct import iter_unpack, unpack

from linkspan.errors import FormatError

Pread = Callable[[int, int], bytes]

MAGIC = b"RpmP"
_SLOT, _BLOB = b"Slot", b"BlbS"
_PAGE, _BLOCK, _HEAD = 4096, 16, 16
_SLOT_SIZE = 16
_AT_ONCE = 64
_PAGES = 4096
"""A page has slots for 256 packages."""


def values(pread: Pread, size: int) -> Iterator[Callable[[int], bytes]]:
    """Each value, as a function for its first bytes; FormatError where the file cannot be followed."""
    head = pread(0, 2 * _SLOT_SIZE)
    if not head.startswith(MAGIC) or len(head) < 2 * _SLOT_SIZE:
        raise FormatError("this is not a database in ndb")
    version, _, pages = unpack("<III", head[4:16])
    if version:
        raise FormatError(f"this database in ndb is of the unknown version {version}")
    if not 0 < pages <= min(size // _PAGE, _PAGES):
        raise FormatError(f"this database in ndb claims {pages} pages of slots and has {size} bytes")
    for index, start in _slots(pread, pages * _PAGE):
        yield _value(pread, size, index, start * _BLOCK)


def _slots(pread: Pread, end: int) -> Iterator[tuple[int, int]]:
    for at in range(0, end, _AT_ONCE * _PAGE):
        data = pread(at, min(_AT_ONCE * _PAGE, end - at))
        used = data[0 if at else 2 * _SLOT_SIZE : len(data) // _SLOT_SIZE * _SLOT_SIZE]
        for magic, index, start, _ in iter_unpack("<4sIII", used):
            if magic != _SLOT:
                raise FormatError("this database in ndb has something else among its slots")
            if index:
                yield index, start


def _value(pread: Pread, size: int, index: int, at: int) -> Callable[[int], bytes]:
    head = pread(at, _HEAD)
    magic, owner, _, length = unpack("<4sIII", head) if len(head) == _HEAD else (b"", 0, 0, 0)
    if magic != _BLOB or owner != index or length > size - at - _HEAD:
        raise FormatError(f"this database in ndb has no value where it should have number {index}")
    return partial(_first, pread, at + _HEAD, length)


def _first(pread: Pread, at: int, length: int, wanted: int) -> bytes:
    return pread(at, min(wanted, length))
