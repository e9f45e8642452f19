"""The path file of musl's loader."""

import os
from pathlib import Path

import pytest

from linkspan.kernel import musl
from tests.unit.kernel import roots
from tests.unit.kernel.roots import Link

LOADER = {"/lib/ld-musl-x86_64.so.1": "", "/etc/alpine-release": "3.20"}
DEFAULT = "/lib\n/usr/local/lib\n/usr/lib\n"


def update(root_fd: int, *folders: str) -> bool:
    return musl.update(root_fd, "x86_64", 64, folders)


def path_file(root: Path) -> Path:
    return root / "etc/ld-musl-x86_64.path"


def test_a_root_without_musl_is_left_alone(root: Path, root_fd: int) -> None:
    roots.make(root, {"/lib64/ld-linux-x86-64.so.2": ""})
    assert not update(root_fd, "/opt/lib")
    assert not path_file(root).exists()


def test_the_folders_go_before_musls_own_which_stay(root: Path, root_fd: int) -> None:
    roots.make(root, LOADER)
    assert update(root_fd, "/usr/lib64", "/usr/lib")
    assert path_file(root).read_text() == "/usr/lib64\n/usr/lib\n/lib\n/usr/local/lib\n"


def test_folders_that_musl_searches_anyway_need_no_file(root: Path, root_fd: int) -> None:
    roots.make(root, LOADER)
    assert update(root_fd, "/usr/lib")
    assert not path_file(root).exists()


@pytest.mark.parametrize("old", ["/opt/a:/opt/b", "/opt/a\n/opt/b\n", "/opt/b with blanks\n:/opt/a:"])
def test_what_an_image_lists_stays_behind_ours(root: Path, root_fd: int, old: str) -> None:
    roots.make(root, {**LOADER, "/etc/ld-musl-x86_64.path": old})
    update(root_fd, "/opt/ours")
    assert path_file(root).read_text().split("\n")[0] == "/opt/ours"
    assert set(filter(None, old.replace(":", "\n").split("\n"))) < set(path_file(root).read_text().split("\n"))


def test_a_second_run_changes_nothing(root: Path, root_fd: int) -> None:
    roots.make(root, {**LOADER, "/etc/ld-musl-x86_64.path": "/opt/a:/opt/ours"})
    update(root_fd, "/opt/ours")
    first = roots.snapshot(root)
    update(root_fd, "/opt/ours")
    assert roots.snapshot(root) == first


def test_a_fifo_in_the_files_place_is_replaced(root: Path, root_fd: int) -> None:
    roots.make(root, LOADER)
    os.mkfifo(path_file(root))
    update(root_fd, "/opt/ours")
    assert path_file(root).read_text() == "/opt/ours\n" + DEFAULT


def test_the_loader_is_found_through_a_merged_lib(root: Path, root_fd: int) -> None:
    roots.make(root, {"/usr/lib/ld-musl-aarch64.so.1": "", "/lib": Link("usr/lib")})
    assert musl.update(root_fd, "aarch64", 64, ["/opt/ours"])
    assert (root / "etc/ld-musl-aarch64.path").read_text() == "/opt/ours\n" + DEFAULT


def test_an_unknown_machine_has_no_musl(root_fd: int) -> None:
    assert not musl.update(root_fd, "riscv64", 64, ["/opt/ours"])
