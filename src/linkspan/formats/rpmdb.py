"""The installed packages by a database of rpm, in whichever of its three forms.

SQLite (RHEL 9, Fedora, Amazon Linux 2023), a hash of Berkeley DB (RHEL 8 and older, Amazon Linux 2, SLES 12) and ndb
(SLES 15, openSUSE). The first bytes tell the form, since each has its own file name, which anybody may have changed.
The file may come from a stranger: what is read of it has bounds, and little of it is in memory at once.
"""

from collections.abc import Callable, Iterator

from linkspan.errors import FormatError
from linkspan.formats import berkeley_hash, ndb, rpm_header, sqlite_blobs
from linkspan.formats.rpm_header import Package

Pread = Callable[[int, int], bytes]

FOLDERS = ("/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm")
"""Where distributions have it, SUSE and new Fedora first, editions that rpm-ostree updates last."""
NAMES = ("rpmdb.sqlite", "Packages.db", "Packages")
"""What it is called, the newest form first: a system that has moved from one to another may have kept the older."""

LARGEST = 512 << 20
"""Bytes; the database of a whole desktop has some 150 MiB."""
_PACKAGES = 20_000
"""A desktop with everything has some 6,000."""
_BLOCK = 64 << 10
_KEPT = 16
_READS, _BYTES = 1_000_000, 2 << 30
"""Bounds of the work, ten times what the largest real ones take."""


def packages(pread: Pread, size: int) -> list[Package]:
    """The packages, sorted, each once; FormatError where this is no such database, or cannot be followed.

    ``pread(offset, length)`` may return less at the end of the file. Headers that cannot be followed are left out.
    """
    if size > LARGEST:
        raise FormatError(f"a database of rpm above {LARGEST >> 20} MiB is not read")
    found = set()
    for count, value in enumerate(_values(_Blocks(pread).pread, size)):
        if count >= _PACKAGES:
            raise FormatError(f"this database of rpm claims more than {_PACKAGES:,} packages")
        found.add(rpm_header.package(value))
    return sorted(one for one in found if one)


def _values(pread: Pread, size: int) -> Iterator[Callable[[int], bytes]]:
    head = pread(0, 100)
    if head.startswith(sqlite_blobs.MAGIC):
        return sqlite_blobs.values(pread, size, "Packages")
    if head.startswith(ndb.MAGIC):
        return ndb.values(pread, size)
    if berkeley_hash.is_hash(head):
        return berkeley_hash.values(pread, size)
    raise FormatError("this is no database of rpm: it is neither SQLite nor ndb nor a hash of Berkeley DB")


class _Blocks:
    """Reads by blocks, of which the last few are kept: pages of 4 KiB are read one after the other, mostly."""

    def __init__(self, pread: Pread) -> None:
        self._pread = pread
        self._blocks: dict[int, bytes] = {}
        self._reads = self._bytes = 0

    def pread(self, at: int, length: int) -> bytes:
        self._reads += 1
        self._bytes += length
        if self._reads > _READS or self._bytes > _BYTES:
            raise FormatError("this database of rpm leads round in circles")
        number, start = divmod(at, _BLOCK)
        data = self._block(number)[start : start + length]
        while len(data) < length and (more := self._block(number := number + 1)):
            data += more[: length - len(data)]
        return data

    def _block(self, number: int) -> bytes:
        found = self._blocks.get(number)
        if found is None:
            self._bytes += _BLOCK
            found = self._pread(number * _BLOCK, _BLOCK)
            if len(self._blocks) >= _KEPT:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[number] = found
        return found
