"""What is installed in an image, and the layer that it came with."""

import re

import pytest

from linkspan.image.databases import manager
from linkspan.image.model import Package
from linkspan.image.packages import first_layer, installed, named
from linkspan.image.source import open_image
from tests.unit import rpm_writer
from tests.unit.image import writer
from tests.unit.image.images import file, image, text

BASH, DRIVER, VIM = (rpm_writer.package(name, files=400) for name in ("bash", "nvidia-driver", "vim"))
STANZA = "Package: {}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}\n\n"


def stanzas(*packages: str) -> str:
    return "".join(STANZA.format(*one.split()) for one in packages)


def read(folder, *trees):
    return open_image(writer.write_layout(f"{folder}/image", [writer.layer(tree) for tree in trees]))


def layers(found) -> dict[str, int | None]:
    return {one.name: one.layer for one in installed(found)}


def test_the_packages_of_all_managers_are_read():
    found = installed(
        image(
            text("/var/lib/dpkg/status", stanzas("libc6 2.36-9")),
            text("/var/lib/dpkg/status.d/tzdata", stanzas("tzdata 2024a")),
            text("/usr/lib/sysimage/rpm/Packages.db", "glibc 2.38-150600.14.1\n"),
            text("/lib/apk/db/installed", "P:musl\nV:1.2.5-r0\n"),
            file("/opt/conda/conda-meta/numpy-1.26.4-py311_0.json"),
            file("/usr/lib/python3/dist-packages/Typing_Extensions-4.1.dist-info/METADATA"),
        )
    )
    assert sorted(f"{one.manager} {one.name} {one.version}" for one in found) == [
        "apk musl 1.2.5-r0",
        "conda numpy 1.26.4",
        "dpkg libc6 2.36-9",
        "dpkg tzdata 2024a",
        "pip typing-extensions 4.1",
        "rpm glibc 2.38-150600.14.1",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/var/lib/dpkg/status-old",
        "/var/lib/dpkg/status.d/a/b",
        "/srv/var/lib/dpkg/status",
        "/var/lib/rpm/Name",
        "/opt/rpm/Packages",
        "/usr/share/doc/Packages",
    ],
)
def test_files_of_like_names_elsewhere_are_no_databases(path):
    assert manager(path) is None
    assert installed(image(text(path, stanzas("libc6 1")))) == ()


def test_a_package_keeps_the_layer_that_brought_it_while_later_ones_write_the_database_anew(tmp_path):
    path = "var/lib/rpm/Packages"
    found = read(
        tmp_path,
        {path: rpm_writer.in_berkeley(BASH)},
        {path: rpm_writer.in_berkeley(BASH, DRIVER)},
        {path: rpm_writer.in_berkeley(BASH, DRIVER, VIM)},
        {"etc/motd": "hello"},
    )
    assert layers(found) == {"bash": 0, "nvidia-driver": 1, "vim": 2}
    assert first_layer(named(found, re.compile("nvidia-driver|vim"))) == 1


def test_one_that_was_removed_and_came_again_or_was_upgraded_came_with_the_later_layer(tmp_path):
    path = "var/lib/dpkg/status"
    found = read(
        tmp_path,
        {path: stanzas("libc6 2.36", "nvidia-smi 535", "tzdata 1")},
        {path: stanzas("libc6 2.36", "tzdata 1")},
        {path: stanzas("libc6 2.36", "nvidia-smi 535", "tzdata 2")},
        {path: stanzas("libc6 2.36", "nvidia-smi 535", "tzdata 2", "vim 9")},
    )
    assert layers(found) == {"libc6": 0, "nvidia-smi": 2, "tzdata": 2, "vim": 3}


def test_the_database_may_move_or_change_its_form_on_the_way(tmp_path):
    found = read(
        tmp_path,
        {"var/lib/rpm/Packages": rpm_writer.in_berkeley(BASH)},
        {
            "usr/lib/sysimage/rpm/rpmdb.sqlite": rpm_writer.in_sqlite(BASH, DRIVER),
            "var/lib/.wh.rpm": "",
            "var/lib/rpm": writer.link("../../usr/lib/sysimage/rpm"),
        },
        {"var/lib/rpm/rpmdb.sqlite": rpm_writer.in_sqlite(BASH, DRIVER, VIM)},
    )
    assert layers(found) == {"bash": 0, "nvidia-driver": 1, "vim": 2}
    assert {one.path for one in installed(found)} == {"/usr/lib/sysimage/rpm/rpmdb.sqlite"}


def test_of_two_forms_in_a_folder_the_newer_is_the_one_in_use():
    both = image(
        text("/var/lib/rpm/Packages", "nvidia-driver 470-1\n"), text("/var/lib/rpm/rpmdb.sqlite", "bash 5.2-1\n")
    )
    assert [one.name for one in installed(both)] == ["bash"]
    broken = image(text("/var/lib/rpm/Packages", "bash 5.1-1\n"), file("/var/lib/rpm/rpmdb.sqlite"))
    assert installed(broken) == (Package(name="bash", version="5.1-1", manager="rpm", path="/var/lib/rpm/Packages"),)
