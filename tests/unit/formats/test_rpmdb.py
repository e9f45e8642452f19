"""The three forms of rpm's database, made here byte by byte; real ones are read in tests/privileged."""

import os
import sqlite3
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from struct import pack, pack_into
from time import perf_counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linkspan.errors import FormatError
from linkspan.formats import rpmdb
from tests.unit.rpm_writer import header, in_berkeley, in_ndb, in_sqlite, package

FORMS: dict[str, Callable[..., bytes]] = {
    "SQLite": in_sqlite,
    "ndb": in_ndb,
    "Berkeley DB": in_berkeley,
}
BLOBS = [
    package("nvidia-driver-cuda-libs", "550.54.14", "1.el9", files=1000),
    package("glibc", "2.34", "100.el9", files=300),
    package("libcuda"),
    header(name="gpg-pubkey", version="1", release="2"),
]
LINES = ["glibc 2.34-100.el9", "libcuda 1.0-1", "nvidia-driver-cuda-libs 550.54.14-1.el9"]
MANY = [package(f"package{number}", files=number % 40) for number in range(100)]


def read(data: bytes) -> list[str]:
    def pread(at: int, length: int) -> bytes:
        assert at >= 0
        assert length >= 0
        return data[at : at + length]

    return [f"{name} {version}" for name, version in rpmdb.packages(pread, len(data))]


@pytest.mark.parametrize("form", FORMS)
def test_packages_are_listed_by_name_with_their_versions(form):
    assert read(FORMS[form](*BLOBS)) == LINES


@pytest.mark.parametrize("form", FORMS)
def test_many_packages_are_read_and_each_once(form):
    assert len(read(FORMS[form](*MANY))) == 100
    assert read(FORMS[form](*BLOBS[:1], *BLOBS[:1])) == LINES[2:]


@pytest.mark.parametrize("form", FORMS)
def test_a_database_without_packages_is_empty(form):
    assert read(FORMS[form]()) == []


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("page", [512, 1024, 4096, 8192, 65536])
@pytest.mark.parametrize("kind", [2, 13])
def test_hashes_of_either_byte_order_and_any_size_of_pages_are_read(order, page, kind):
    blobs = [package(f"package{number}", files=number * 9) for number in range(12)]
    assert len(read(in_berkeley(*blobs, page=page, order=order, kind=kind))) == 12


@pytest.mark.parametrize("page", [512, 1024, 4096, 65536])
def test_tables_of_any_size_of_pages_are_read(page):
    assert len(read(in_sqlite(*MANY, page=page))) == 100


def test_a_database_of_sqlite_that_was_left_with_a_log_beside_it_is_read():
    data = in_sqlite(*BLOBS)
    assert read(data[:18] + b"\2\2" + data[20:]) == LINES


@pytest.mark.parametrize("blob", [b"", 5, "text", b"x" * 64])
def test_a_row_that_is_no_header_is_left_out_and_the_others_are_read(blob):
    assert read(in_sqlite(blob, *BLOBS)) == LINES


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE TABLE Others (hnum INTEGER PRIMARY KEY, blob BLOB)",
        "CREATE VIEW Packages AS WITH RECURSIVE n(blob) AS (SELECT 1 UNION ALL SELECT blob + 1 FROM n) SELECT * FROM n",
    ],
)
def test_what_has_no_table_of_packages_is_refused(schema):
    with pytest.raises(FormatError, match="has no table Packages"):
        read(in_sqlite(schema=schema))


def test_a_column_that_is_made_up_by_sqlite_is_not_made_up_here():
    schema = (
        "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, other BLOB, blob GENERATED ALWAYS AS (zeroblob(500000000)))"
    )
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute(schema)
        base.execute("INSERT INTO Packages (other) VALUES (NULL)")
        base.commit()
        assert read(base.serialize()) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "neither SQLite nor ndb nor a hash"),
        (b"hello", "neither SQLite nor ndb nor a hash"),
        (b"\0" * 8192, "neither SQLite nor ndb nor a hash"),
        (b"SQLite format 3\0" + b"\xff" * 4096, "pages of 65535 bytes"),
        (b"SQLite format 3\0" + pack(">H", 4096) + b"\0" * 4078, "no part of a table on page 1"),
        (pack("<4s4I12x", b"RpmP", 1, 1, 1, 1) + b"\0" * 4064, "unknown version 1"),
        (pack("<4s4I12x", b"RpmP", 0, 1, 2, 1) + b"\0" * 4064, "claims 2 pages of slots"),
        (pack("<4s4I12x", b"RpmP", 0, 1, 1, 1) + b"\0" * 4064, "something else among its slots"),
    ],
)
def test_what_is_no_database_is_refused(data, words):
    with pytest.raises(FormatError, match=words):
        read(data)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (16, 7, "unknown version 7"),
        (32, 5, "is cut off: it has 20480 bytes of 24576"),
        (20, 4097, "pages of 4097 bytes"),
        (20, 256, "pages of 256 bytes"),
        (24, 1, "encrypted or has checksums"),
        (26, 1, "encrypted or has checksums"),
        (4096 + 20, 5000, "claims 5000 items"),
        (2 * 4096 + 25, 13, "no page 2 of a long value"),
        (2 * 4096 + 22, 5000, "claims 5000 bytes on a page"),
        (2 * 4096 + 16, 77, "no page 77 of a long value"),
    ],
)
def test_a_hash_that_cannot_be_followed_is_refused_with_what_is_wrong(place, value, words):
    data = bytearray(in_berkeley(header(summary="x" * 9000, name="glibc", version="1", release="1")))
    pack_into("<B" if place % 4096 in (24, 25, 26) else "<H", data, place, value)
    with pytest.raises(FormatError, match=words):
        read(bytes(data))


def test_a_database_too_large_to_be_one_is_not_looked_at():
    with pytest.raises(FormatError, match="above 512 MiB"):
        rpmdb.packages(lambda at, length: pytest.fail("it was read"), rpmdb.LARGEST + 1)


@pytest.mark.parametrize("form", FORMS)
def test_every_cut_of_a_database_is_read_or_refused(form):
    data = FORMS[form](*MANY)
    for end in range(0, len(data), 509):
        judge(data[:end])


def judge(data: bytes) -> None:
    """It is read, or refused in a sentence; any other exception is a failure."""
    try:
        lines = read(data)
    except FormatError as error:
        assert not error.message.endswith(".")
    else:
        assert all(line.isascii() and line.isprintable() for line in lines)


MUTANTS = {form: make(*MANY[:20], *BLOBS) for form, make in FORMS.items()} | {
    "Berkeley DB, large pages": in_berkeley(*BLOBS, page=16384, order=">")
}


@given(
    st.sampled_from(sorted(MUTANTS)),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=9)), min_size=1, max_size=6),
)
@example("SQLite", [(4096, b"\x05"), (4096 + 3, b"\xff\xff")])
@example("Berkeley DB", [(4096 + 20, b"\xff\xff")])
@settings(max_examples=400, deadline=None)
def test_whatever_bytes_are_changed_it_is_read_or_refused(form, changes):
    data = bytearray(MUTANTS[form])
    for place, piece in changes:
        at = place % (len(data) - len(piece))
        data[at : at + len(piece)] = piece
    judge(bytes(data))


def _root(data: bytes) -> int:
    with closing(sqlite3.connect(":memory:")) as base:
        base.deserialize(data)
        ((root,),) = base.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'Packages'")
        return int(root)


def _rows_again_and_again() -> bytes:
    """Fifteen pages of a table, each of which leads to the next one 600 times, and then one without a row."""
    page = 4096
    data = bytearray(in_sqlite(page=page))
    root, last = _root(bytes(data)), len(data) // page
    for number, after in zip((root, *range(last + 1, last + 15)), range(last + 1, last + 16), strict=True):
        inner = pack(">BHHHBI", 5, 0, 600, 0, 0, after) + pack(">H", page - 4) * 600
        data[(number - 1) * page : number * page] = inner.ljust(page - 4, b"\0") + pack(">I", after)
    return bytes(data + pack(">BHHHB", 13, 0, 0, 0, 0).ljust(page, b"\0"))


def _one_row_for_all() -> bytes:
    data = bytearray(in_sqlite(package("glibc"), page=65536))
    at = (_root(bytes(data)) - 1) * 65536
    pack_into(">H", data, at + 3, 30_000)
    data[at + 8 : at + 60_008] = bytes(data[at + 8 : at + 10]) * 30_000
    return bytes(data)


def _enlarged(meta: bytes, last: int, pages: bytes) -> bytes:
    return meta[:32] + pack("<I", last) + meta[36:] + pages


def _items_of_nothing() -> bytes:
    page = bytearray(65536)
    pack_into("<8x3IHHBB", page, 0, 0, 0, 0, 32_000, 100, 0, 13)
    return _enlarged(in_berkeley(page=65536), 100, bytes(page) * 100)


def _chains_in_a_circle() -> bytes:
    """Headers whose index alone is longer than a page, on a page that follows itself."""
    pages = 2001
    last = pages + 1
    chain = pack("<8x3IHHBB", 0, 0, last, 1, 486, 0, 7) + pack(">II", 512, 0) * 60 + b"\0" * 6
    item = pack("<B3xII", 3, last, 1 << 30)
    heads = pack("<8x3IHHBB", 0, 0, 0, 20, 500, 0, 13) + pack("<20H", *[512, 500] * 10)
    return _enlarged(in_berkeley(page=512), last, (heads.ljust(500, b"\0") + item) * pages + chain)


def _free_slots() -> bytes:
    pages = 4096
    slots = pack("<4sIII", b"Slot", 0, 0, 0) * (pages * 256 - 2)
    return pack("<4s4I12x", b"RpmP", 0, 1, pages, 1) + slots


def _one_blob_for_all() -> bytes:
    tags, pages = 510, 100
    blob = pack(">II", tags, 4) + pack(">4I", 5000, 6, 0, 1) * tags
    slots = pack("<4sIII", b"Slot", 1, pages * 256, 1) * (pages * 256 - 2)
    body = pack("<4sIII", b"BlbS", 1, 1, len(blob)) + blob
    return pack("<4s4I12x", b"RpmP", 0, 1, pages, 1) + slots + body


HOSTILE = {
    _rows_again_and_again: "leads round in circles",
    _one_row_for_all: "more than 20,000 packages",
    _items_of_nothing: "more than 20,000 packages",
    _chains_in_a_circle: "more than 20,000 packages",
    _free_slots: "",
    _one_blob_for_all: "more than 20,000 packages",
}


@pytest.mark.parametrize("make", HOSTILE)
def test_a_hostile_database_costs_a_few_seconds_at_most_and_is_refused(make):
    data, words = make(), HOSTILE[make]
    started = perf_counter()
    if words:
        with pytest.raises(FormatError, match=words):
            read(data)
    else:
        assert read(data) == []
    assert perf_counter() - started < 8  # on a slow machine that does other things, too; it is two here


@pytest.mark.parametrize("form", FORMS)
def test_a_large_database_is_never_in_memory_as_a_whole(form, tmp_path):
    path = tmp_path / "database"
    path.write_bytes(FORMS[form](*[package(f"package{number}", files=20_000) for number in range(100)]))
    size = path.stat().st_size
    assert size > 36_000_000
    with path.open("rb") as file:
        tracemalloc.start()
        try:
            found = rpmdb.packages(lambda at, length: os.pread(file.fileno(), length, at), size)
            assert tracemalloc.get_traced_memory()[1] < 3_000_000
        finally:
            tracemalloc.stop()
    assert len(found) == 100
