"""What a root's ldconfig is told, read in bounds."""

import os
import time
from pathlib import Path

from linkspan.kernel import ldconfig
from linkspan.kernel.ldconfig import Configuration
from tests.unit.kernel import roots
from tests.unit.kernel.roots import Link

INCLUDE = "include /etc/ld.so.conf.d/*.conf\n"


def folders(root_fd: int) -> list[str]:
    return list(Configuration(root_fd, ("00-ours.conf",)).folders)


def test_folders_of_the_file_and_of_those_that_it_includes(root: Path, root_fd: int) -> None:
    tree = {
        "/etc/ld.so.conf": "/opt/first\n" + INCLUDE,
        "/etc/ld.so.conf.d/b.conf": "/opt/b\n/opt/first/\n",
        "/etc/ld.so.conf.d/a.conf": "/opt/a",
        "/etc/ld.so.conf.d/a.conf.bak": "/opt/no",
    }
    roots.make(root, tree)
    assert folders(root_fd) == ["/opt/first", "/opt/a", "/opt/b"]


def test_a_root_without_configuration_lists_nothing(root_fd: int) -> None:
    conf = Configuration(root_fd, ())
    assert list(conf.folders) == []
    assert not conf.includes("00-ours.conf")


def test_our_own_files_do_not_count(root: Path, root_fd: int) -> None:
    roots.make(root, {"/etc/ld.so.conf": INCLUDE, "/etc/ld.so.conf.d/00-ours.conf": "/opt/ours"})
    conf = Configuration(root_fd, ("00-ours.conf",))
    assert list(conf.folders) == []
    assert conf.includes("00-ours.conf")
    assert conf.names("/etc/ld.so.conf.d") == ["00-ours.conf"]


def test_a_relative_pattern_starts_at_its_files_folder(root: Path, root_fd: int) -> None:
    tree = {"/etc/ld.so.conf": "include ld.so.conf.d/*.conf", "/etc/ld.so.conf.d/a.conf": "/opt/a"}
    roots.make(root, tree)
    conf = Configuration(root_fd, ())
    assert list(conf.folders) == ["/opt/a"]
    assert conf.includes("00-ours.conf")


def test_a_file_is_read_by_links_inside_the_root_alone(root: Path, root_fd: int, tmp_path: Path) -> None:
    (tmp_path / "host.conf").write_text("/host/folder")
    tree = {
        "/etc/ld.so.conf": Link("/usr/etc/ld.so.conf"),
        "/usr/etc/ld.so.conf": INCLUDE,
        "/etc/ld.so.conf.d/a.conf": Link(str(tmp_path / "host.conf")),
        "/etc/ld.so.conf.d/b.conf": "/opt/b",
    }
    roots.make(root, tree)
    assert folders(root_fd) == ["/opt/b"]


def test_files_that_include_each_other_are_read_once(root: Path, root_fd: int) -> None:
    tree = {
        "/etc/ld.so.conf": INCLUDE + "include /etc/ld.so.conf",
        "/etc/ld.so.conf.d/a.conf": "include b.conf\n/opt/a",
        "/etc/ld.so.conf.d/b.conf": "include a.conf ../ld.so.conf\n/opt/b",
    }
    roots.make(root, tree)
    assert folders(root_fd) == ["/opt/a", "/opt/b"]


def test_what_is_endless_ends(root: Path, root_fd: int) -> None:
    many = "".join(f"/opt/{number}\n" for number in range(9_000))
    tree = {f"/etc/ld.so.conf.d/{number}.conf": many for number in range(ldconfig.MAX_NAMES)}
    roots.make(root, {"/etc/ld.so.conf": INCLUDE * 1000 + "include x/*.conf\n" * 5000, **tree})
    started = time.monotonic()
    assert len(folders(root_fd)) == ldconfig.MAX_FOLDERS
    assert time.monotonic() - started < 2


def test_more_names_than_anyone_has_are_none(root: Path, root_fd: int) -> None:
    tree = {f"/etc/ld.so.conf.d/{number}.conf": "/opt/a" for number in range(ldconfig.MAX_NAMES + 1)}
    roots.make(root, {"/etc/ld.so.conf": INCLUDE + "/opt/b\n", **tree})
    assert folders(root_fd) == ["/opt/b"]


def test_four_gigabytes_a_fifo_a_folder_and_a_loop_say_nothing(root: Path, root_fd: int) -> None:
    tree = {
        "/etc/ld.so.conf": INCLUDE + "/opt/b\n",
        "/etc/ld.so.conf.d/huge.conf": "",
        "/etc/ld.so.conf.d/folder.conf": None,
        "/etc/ld.so.conf.d/loop.conf": Link("loop.conf"),
    }
    roots.make(root, tree)
    os.truncate(root / "etc/ld.so.conf.d/huge.conf", 4 << 30)
    os.mkfifo(root / "etc/ld.so.conf.d/fifo.conf")
    assert folders(root_fd) == ["/opt/b"]


def test_bytes_that_are_no_text_are_followed(root: Path, root_fd: int) -> None:
    roots.make(root, {"/etc/ld.so.conf": b"\xff\xfe\0\n/opt/\xff\ninclude \0*\n"})
    assert folders(root_fd) == ["/opt/\udcff"]
