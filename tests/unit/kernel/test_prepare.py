"""A container's root, prepared as a whole."""

import os
from pathlib import Path
from typing import Any

import pytest

from linkspan.errors import KernelError, UnsafePath
from linkspan.formats import ldcache
from linkspan.kernel import paths, prepare
from tests.elf import library
from tests.unit.kernel import roots
from tests.unit.kernel.roots import Link

LIBS = "/usr/lib/x86_64-linux-gnu"
WORK: dict[str, Any] = {
    "arch": "x86_64",
    "links": [
        ["libcuda.so.550.163.01", f"{LIBS}/libcuda.so.1"],
        ["libcuda.so.1", f"{LIBS}/libcuda.so"],
        ["libcuda.so.1", f"{LIBS}/libcuda.so"],
        ["../nvidia0", "/dev/dri/by-path/gpu"],
    ],
    "loadables": [[f"{LIBS}/libcuda.so.1", 64], [f"{LIBS}/libcuda.so", 64]],
    "compat": {"driver": "550.163.01", "cuda": "", "root": ""},
    "profile": [0, 2],
}


def names(root: Path) -> list[str]:
    data = (root / "etc/ld.so.cache").read_bytes()
    return [entry[1] for entry in ldcache.parse(data) if entry[0] == "libcuda.so.1"]


def test_everything_is_there_that_was_asked_for(root: Path, root_fd: int) -> None:
    prepare.prepare(root_fd, WORK)
    assert os.readlink(root / "usr/lib/x86_64-linux-gnu/libcuda.so") == "libcuda.so.1"
    assert os.readlink(root / "dev/dri/by-path/gpu") == "../nvidia0"
    assert names(root) == [f"{LIBS}/libcuda.so.1"]
    assert b"0x5]" in (root / "etc/nvidia/nvidia-application-profiles-rc.d/10-container.conf").read_bytes()


def test_a_second_run_changes_nothing(root: Path, root_fd: int) -> None:
    prepare.prepare(root_fd, WORK)
    first = roots.snapshot(root)
    prepare.prepare(root_fd, WORK)
    assert roots.snapshot(root) == first


def test_newer_libraries_of_the_image_are_used(root: Path, root_fd: int) -> None:
    tree = {
        "/usr/local/cuda-12.9/compat/libcuda.so.575.57.08": library("libcuda.so.1"),
        "/usr/local/cuda-12.9/compat/libcuda.so.1": Link("libcuda.so.575.57.08"),
        "/usr/local/cuda": Link("cuda-12.9"),
    }
    roots.make(root, tree)
    prepare.prepare(root_fd, WORK)
    assert names(root) == ["/usr/local/cuda-12.9/compat/libcuda.so.1", f"{LIBS}/libcuda.so.1"]


def test_no_work_touches_nothing(root: Path, root_fd: int) -> None:
    prepare.prepare(root_fd, {"arch": "x86_64"})
    prepare.prepare(root_fd, {"arch": "x86_64", "compat": WORK["compat"], "profile": []})
    assert os.listdir(root) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_all_that_is_created_belongs_to_the_containers_root(root: Path, root_fd: int) -> None:
    prepare.prepare(root_fd, WORK, (100000, 200000))
    owners = {(status.st_uid, status.st_gid) for status in map(os.lstat, everything(root))}
    assert owners == {(100000, 200000)}


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to the tests' own user, root")
def test_our_own_files_are_given_to_nobody(root: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(prepare.paths.os, "chown")
    monkeypatch.delattr(prepare.paths.os, "fchown")
    prepare.prepare(root_fd, WORK, (os.geteuid(), os.getegid()))
    assert {os.lstat(path).st_uid for path in everything(root)} == {0}


def everything(root: Path) -> list[str]:
    return [os.path.join(top, name) for top, folders, files in os.walk(root) for name in (*folders, *files)]


def test_a_folder_in_a_links_place_is_an_error_that_leaves_nothing_half_made(root: Path, root_fd: int) -> None:
    roots.make(root, {f"{LIBS}/libcuda.so": None})
    with pytest.raises(KernelError, match=f"cannot make the link {LIBS}/libcuda.so in the container: Is a directory"):
        prepare.prepare(root_fd, WORK)
    assert sorted(os.listdir(root / LIBS[1:])) == ["libcuda.so", "libcuda.so.1"]


def test_a_link_to_no_name_is_refused(root_fd: int) -> None:
    with pytest.raises(UnsafePath, match="does not end in a name"):
        prepare.prepare(root_fd, {"arch": "x86_64", "links": [["target", "/usr/lib/.."]]})


def test_a_root_whose_gpus_are_to_be_counted_and_has_none_gets_no_profile(root_fd: int) -> None:
    prepare.prepare(root_fd, {"arch": "x86_64", "profile": True})
    assert paths.list_folder(root_fd, "/etc", 10) is None
