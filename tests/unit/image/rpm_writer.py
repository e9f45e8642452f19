"""Databases of rpm, made byte by byte as rpm makes them."""

import sqlite3
from contextlib import closing
from struct import pack


def header(**words: str) -> bytes:
    tags = {"name": 1000, "version": 1001, "release": 1002, "summary": 1004}
    index, store = b"", b""
    for key, value in words.items():
        index += pack(">4I", tags[key], 6, len(store), 1)
        store += value.encode() + b"\0"
    return pack(">II", len(words), len(store)) + index + store


def in_sqlite(
    *blobs: object, schema: str = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)"
) -> bytes:
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute(schema)
        base.executemany("INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in blobs])
        base.commit()
        return base.serialize()
