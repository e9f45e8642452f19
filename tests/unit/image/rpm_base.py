"""The database of rpm, made byte by byte as rpm makes it: headers of packages in SQLite."""

import sqlite3
from contextlib import closing
from struct import pack

_TAGS = {"name": 1000, "version": 1001, "release": 1002, "summary": 1004}
_SCHEMA = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"


def header(**words: str) -> bytes:
    """A package's header with these tags, in their order."""
    index, store = b"", b""
    for key, value in words.items():
        index += pack(">4I", _TAGS[key], 6, len(store), 1)
        store += value.encode() + b"\0"
    return pack(">II", len(words), len(store)) + index + store


def database(*blobs: object, schema: str = _SCHEMA) -> bytes:
    """A database with these headers, or whatever stands in their place."""
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute(schema)
        base.executemany("INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in blobs])
        base.commit()
        return base.serialize()


def of_listing(text: str) -> bytes:
    """A database of the packages that the reader lists so: ``name version-release``, a line each."""
    rows = (line.partition(" ") for line in text.splitlines())
    known = ((name, *version.rpartition("-")[::2]) for name, _, version in rows)
    return database(*(header(name=name, version=version, release=release) for name, version, release in known))
