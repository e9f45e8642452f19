"""The database of rpm, as RHEL 9, Fedora, Amazon Linux 2023 and their like have it: headers of packages in SQLite.

A header is an index of tags over a store of values, both in network order (rpm, docs/manual/format_header.md). Older
databases (Berkeley DB of RHEL 8, ndb of SUSE) are not read. The database comes from a stranger: it is opened in memory,
must be of plain tables, and may cost only so much.
"""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from itertools import count

from linkspan.errors import FormatError

LARGEST = 256 << 20
"""Bytes of a database; one of a whole desktop has some 150 MiB."""
_HEADER = 32 << 20
"""Bytes of a package's header; that of a kernel, with all its files, has some 2 MiB."""
_PACKAGES = 50_000
_STEPS = 2000
"""Thousands of steps of SQLite's machine: reading a table takes a few for each row."""
_NAME, _VERSION, _RELEASE = 1000, 1001, 1002
_STRING = 6
_MAGIC = b"SQLite format 3\0"
_LONGEST = 255


def listing(data: bytes) -> str:
    """A line ``name version-release`` for each package; FormatError where it is no database of rpm."""
    found = sorted({_line(blob) for blob in _headers(data)} - {""})
    return "".join(f"{line}\n" for line in found)


def _headers(data: bytes) -> Iterator[bytes]:
    if not data.startswith(_MAGIC) or len(data) > LARGEST:
        raise FormatError("this is not a database of rpm in SQLite")
    # A database that was left in the mode with a log beside it (bytes 18 and 19) cannot be opened in memory.
    plain = data[:18] + b"\1\1" + data[20:]
    try:
        with closing(sqlite3.connect(":memory:")) as base:
            base.deserialize(plain)
            yield from _rows(base)
    except (sqlite3.Error, OverflowError) as error:
        raise FormatError(f"this database of rpm cannot be read: {error}") from error


def _rows(base: sqlite3.Connection) -> Iterator[bytes]:
    steps = count()
    base.set_progress_handler(lambda: int(next(steps) > _STEPS), 1000)
    base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _HEADER)
    base.execute("PRAGMA trusted_schema = OFF")
    # A view or a virtual table has no page of its own, and runs what its maker wrote.
    kinds = base.execute("SELECT type, rootpage > 0 FROM sqlite_master WHERE name = 'Packages'").fetchall()
    if kinds != [("table", 1)]:
        raise FormatError("this is not a database of rpm: it has no table of packages")
    for (blob,) in base.execute("SELECT blob FROM Packages LIMIT ?", (_PACKAGES,)):
        if isinstance(blob, bytes):
            yield blob


def _line(blob: bytes) -> str:
    """What a header says of its package; empty for a key, and for a header that cannot be followed."""
    try:
        words = dict(_strings(blob))
    except (struct.error, ValueError):
        return ""
    name = words.get(_NAME, "")
    if not name or name == "gpg-pubkey":
        return ""
    return f"{name} {words.get(_VERSION, '')}-{words.get(_RELEASE, '')}"


def _strings(blob: bytes) -> Iterator[tuple[int, str]]:
    entries, _ = struct.unpack_from(">II", blob)
    store = 8 + 16 * entries
    for tag, kind, offset, _ in struct.iter_unpack(">4I", blob[8:store]):
        if tag in (_NAME, _VERSION, _RELEASE) and kind == _STRING:
            start = store + offset
            yield tag, _word(blob[start : blob.index(b"\0", start, start + _LONGEST + 1)])


def _word(data: bytes) -> str:
    text = data.decode("ascii")
    if not text.isprintable() or " " in text:
        raise ValueError("no name or version has blanks in it")
    return text
