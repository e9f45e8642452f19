from struct import pack

import pytest

from linkspan.formats.rpm_header import Package, package
from tests.unit.rpm_writer import header

DRIVER = header(summary="a driver", name="nvidia-driver-cuda-libs", version="550.54.14", release="1.el9")


def read(blob: bytes) -> Package | None:
    return package(lambda length: blob[:length])


def test_a_package_has_name_and_version_with_the_release():
    assert read(DRIVER) == Package("nvidia-driver-cuda-libs", "550.54.14-1.el9")


def test_what_stands_far_behind_in_a_header_is_found():
    blob = header(summary="x" * 100_000, name="glibc", version="2.34", release="100.el9")
    assert read(blob) == Package("glibc", "2.34-100.el9")


def test_of_a_header_with_megabytes_a_few_kilobytes_are_read():
    asked = []

    def first(length: int) -> bytes:
        asked.append(length)
        return header(name="kernel-core", version="5.14", release="1", summary="x" * 3_000_000)[:length]

    assert package(first) == Package("kernel-core", "5.14-1")
    assert max(asked) < 8192


def test_an_index_longer_than_what_is_read_at_first_is_read_whole():
    entries = 400
    index = b"".join(pack(">4I", 5000 + n, 6, 0, 1) for n in range(entries - 3))
    index += b"".join(pack(">4I", tag, 6, 0, 1) for tag in (1000, 1001, 1002))
    assert read(pack(">II", entries, 4) + index + b"one\0") == Package("one", "one-one")


def test_keys_are_no_packages():
    assert read(header(name="gpg-pubkey", version="1", release="2")) is None


@pytest.mark.parametrize(
    "blob",
    [
        *(b"", b"\0\0\0\1", DRIVER[:40], DRIVER[:90], pack(">II", 0xFFFFFFFF, 0), pack(">II", 100, 0), b"x" * 64),
        pack(">II4I", 1, 9, 1000, 6, 0xFFFFFFF0, 1),
        pack(">II4I", 1, 9, 1000, 4, 0, 1) + b"number\0",
        header(name="two words", version="1", release="1"),
        header(name="tab\tinside", version="1", release="1"),
        header(name="ümlaut", version="1", release="1"),
        header(name="n" * 300, version="1", release="1"),
        header(name="", version="1", release="1"),
    ],
)
def test_a_header_that_cannot_be_followed_is_no_package(blob: bytes):
    assert read(blob) is None
