"""The database of rpm: made here byte by byte, as rpm makes it."""

import sqlite3
from contextlib import closing
from struct import pack

import pytest

from linkspan.errors import FormatError
from linkspan.image.rpmdb import listing
from tests.unit.image.rpm_writer import header, in_sqlite

_DRIVER = header(summary="a driver", name="nvidia-driver-cuda-libs", version="550.54.14", release="1.el9")
_GLIBC = header(name="glibc", version="2.34", release="100.el9")


def test_packages_are_listed_by_name_with_their_versions():
    assert listing(in_sqlite(_DRIVER, _GLIBC)) == "glibc 2.34-100.el9\nnvidia-driver-cuda-libs 550.54.14-1.el9\n"


def test_a_database_that_was_left_with_a_log_beside_it_is_read():
    data = in_sqlite(_GLIBC)
    assert listing(data[:18] + b"\2\2" + data[20:]) == "glibc 2.34-100.el9\n"


def test_keys_are_no_packages():
    assert listing(in_sqlite(header(name="gpg-pubkey", version="1", release="2"))) == ""


@pytest.mark.parametrize(
    "blob",
    [
        *(b"", b"\0\0\0\1", _DRIVER[:40], pack(">II", 0xFFFFFFFF, 0), b"x" * 64, 5, "text"),
        pack(">II4I", 1, 9, 1000, 6, 0xFFFFFFF0, 1),
        header(name="two words", version="1", release="1"),
        header(name="n" * 300, version="1", release="1"),
    ],
)
def test_a_header_that_cannot_be_followed_is_left_out_and_the_others_are_read(blob: object):
    assert listing(in_sqlite(blob, _GLIBC)) == "glibc 2.34-100.el9\n"


@pytest.mark.parametrize("data", [b"", b"hello", b"SQLite format 3\0" + b"\xff" * 4096])
def test_what_is_no_database_is_refused(data: bytes):
    with pytest.raises(FormatError):
        listing(data)


def test_a_database_without_packages_is_refused():
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute("CREATE TABLE Names (a)")
        data = base.serialize()
    with pytest.raises(FormatError, match="no table of packages"):
        listing(data)


def test_a_view_in_the_place_of_the_table_is_not_run():
    endless = (
        "CREATE VIEW Packages AS WITH RECURSIVE n(blob) AS (SELECT 1 UNION ALL SELECT blob + 1 FROM n) SELECT * FROM n"
    )
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute(endless)
        data = base.serialize()
    with pytest.raises(FormatError, match="no table of packages"):
        listing(data)


def test_a_column_that_makes_gigabytes_of_nothing_is_refused():
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob GENERATED ALWAYS AS (zeroblob(500000000)))")
        base.execute("INSERT INTO Packages (hnum) VALUES (1)")
        base.commit()
        data = base.serialize()
    with pytest.raises(FormatError, match="cannot be read"):
        listing(data)


def test_every_cut_of_a_database_is_read_or_refused():
    data = in_sqlite(*[header(name=f"package{number}", version="1", release="1") for number in range(300)])
    for end in range(16, len(data), 509):
        try:
            assert listing(data[:end]).isascii()
        except FormatError as error:
            assert "rpm" in str(error)
