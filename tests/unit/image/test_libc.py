"""Which glibc an image has."""

import pytest

from linkspan.image.libc import glibc
from tests.unit.image.images import debian, image, library, rpm, text

ROCKY = text("/etc/os-release", 'ID="rocky"\nVERSION_ID="8.10"\n')


@pytest.mark.parametrize(
    ("database", "version"),
    [
        (debian(libc6="2.36-9+deb12u10"), "2.36"),
        (rpm(glibc="2.28-251.el8_10.2", glibc_common="2.99-1"), "2.28"),
        (text("/lib/apk/db/installed", "P:glibc\nV:2.41-r4\n\nP:wolfi-baselayout\nV:1\n"), "2.41"),
        (text("/lib/apk/db/installed", "P:musl\nV:1.2.5-r9\n"), ""),
        (rpm(bash="5.1-1"), ""),
    ],
)
def test_the_package_tells_it_whoever_installed_it(database, version):
    assert glibc(image(database)) == version


def test_the_package_tells_it_better_than_the_release():
    assert glibc(image(ROCKY, rpm(glibc="2.34-100.el9"))) == "2.34"
    assert glibc(image(ROCKY, rpm(bash="5.1-1"))) == "2.28"


@pytest.mark.parametrize(
    ("folder", "version"),
    [
        ("/lib/x86_64-linux-gnu", "2.31"),
        ("/usr/lib64", "2.31"),
        ("/opt/conda/x86_64-conda-linux-gnu/sysroot/lib64", ""),
        ("/usr/aarch64-linux-gnu/lib", ""),
    ],
)
def test_a_file_tells_it_where_the_loader_looks_and_not_where_a_compiler_does(folder, version):
    assert glibc(image(library(f"{folder}/libc-2.31.so"))) == version
