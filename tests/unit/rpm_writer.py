"""Databases of rpm in their three forms, made byte by byte as rpm and Berkeley DB make them."""

import sqlite3
import zlib
from contextlib import closing
from struct import pack

_TAGS = {"name": 1000, "version": 1001, "release": 1002, "summary": 1004}
_BLOCK = 16
_PAGE_HEADER = 26


def header(**words: str) -> bytes:
    """The header of a package: ``name``, ``version``, ``release``, ``summary``, in the order that they are given."""
    index, store = b"", b""
    for key, value in words.items():
        index += pack(">4I", _TAGS[key], 6, len(store), 1)
        store += value.encode() + b"\0"
    return pack(">II", len(words), len(store)) + index + store


def package(name: str, version: str = "1.0", release: str = "1", files: int = 0) -> bytes:
    """The header of a package; ``files`` makes it as long as the names of so many are."""
    return header(name=name, version=version, release=release, summary="/usr/lib64/a/file " * files)


def in_sqlite(
    *blobs: object,
    schema: str = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)",
    page: int = 4096,
) -> bytes:
    """SQLite, with an index beside it as rpm has them."""
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute(f"PRAGMA page_size = {page}")
        base.execute("CREATE TABLE Name (key TEXT NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)")
        base.execute(schema)
        for blob in blobs:
            base.execute("INSERT INTO Packages (blob) VALUES (?)", (blob,))
        base.commit()
        return base.serialize()


def in_ndb(*blobs: bytes) -> bytes:
    """ndb, every other slot a free one, as removed packages leave them."""
    slots, body = b"", b""
    start = 4096 // _BLOCK
    for index, blob in enumerate(blobs, 1):
        tail = pack("<II", zlib.adler32(blob), len(blob)) + b"BlbE"
        data = pack("<4sIII", b"BlbS", index, 1, len(blob)) + blob
        data += b"\0" * (-(len(data) + len(tail)) % _BLOCK) + tail
        slots += pack("<4sIII", b"Slot", index, start, len(data) // _BLOCK) + pack("<4sIII", b"Slot", 0, 0, 0)
        start += len(data) // _BLOCK
        body += data
    free = pack("<4sIII", b"Slot", 0, 0, 0)
    head = pack("<4s4I12x", b"RpmP", 0, 1, 1, len(blobs) + 1) + slots
    return head + free * ((4096 - len(head)) // 16) + body


def in_berkeley(*blobs: bytes, page: int = 4096, order: str = "<", kind: int = 13) -> bytes:
    """A hash of Berkeley DB: a page for each package, its value in a chain of further pages where it is long."""
    pages = [b""]
    for number, blob in enumerate(blobs, 1):
        key = b"\1" + pack("=I", number)
        if len(blob) < page // 4:
            pages.append(_hash_page(page, order, kind, key, b"\1" + blob))
        else:
            first = len(pages) + 1
            pages.append(_hash_page(page, order, kind, key, pack(f"{order}B3xII", 3, first, len(blob))))
            pages += _chain(page, order, first, blob)
    meta = pack(f"{order}8xI3I", 0, 0x061561, 9, page) + bytes([0, 8, 0, 0]) + pack(f"{order}2I", 0, len(pages) - 1)
    pages[0] = meta.ljust(page, b"\0")
    return b"".join(pages)


def _hash_page(page: int, order: str, kind: int, *items: bytes) -> bytes:
    places, packed = [], b""
    for item in items:
        packed = item + packed
        places.append(page - len(packed))
    head = _page_header(order, len(items), places[-1], kind) + pack(f"{order}{len(items)}H", *places)
    return head + b"\0" * (page - len(head) - len(packed)) + packed


def _chain(page: int, order: str, first: int, blob: bytes) -> list[bytes]:
    room = page - _PAGE_HEADER
    parts = [blob[at : at + room] for at in range(0, len(blob), room)]
    following = [*range(first + 1, first + len(parts)), 0]
    return [
        (_page_header(order, 1, len(part), 7, after) + part).ljust(page, b"\0")
        for part, after in zip(parts, following, strict=True)
    ]


def _page_header(order: str, entries: int, place: int, kind: int, after: int = 0) -> bytes:
    return pack(f"{order}8x3IHHBB", 0, 0, after, entries, place, 0, kind)
