"""Folders scanned for libraries, as ldconfig scans them."""

import os
from pathlib import Path

import pytest

from linkspan.kernel import libraries
from linkspan.kernel.libraries import Scanner
from tests.elf import AARCH64, I386, library
from tests.unit.kernel import roots
from tests.unit.kernel.roots import Link

X86_64_FLAGS, I386_FLAGS = 0x0303, 0x0003


def scan(root_fd: int, folder: str = "/opt/lib") -> dict[tuple[str, int], str]:
    return {(name, flags): path for name, path, flags, _, _ in Scanner(root_fd).scan(folder)}


def test_the_compatibility_folder_of_a_cuda_image(root: Path, root_fd: int) -> None:
    tree = {
        "/opt/lib/libcuda.so.550.54.15": library("libcuda.so.1"),
        "/opt/lib/libcuda.so.1": Link("libcuda.so.550.54.15"),
        "/opt/lib/libcuda.so": Link("libcuda.so.1"),
        "/opt/lib/libnvidia-nvvm.so.550.54.15": library("libnvidia-nvvm.so.4"),
        "/opt/lib/libnvidia-nvvm.so.4": Link("/opt/lib/libnvidia-nvvm.so.550.54.15"),
    }
    roots.make(root, tree)
    assert scan(root_fd) == {
        ("libcuda.so.1", X86_64_FLAGS): "/opt/lib/libcuda.so.1",
        ("libcuda.so", X86_64_FLAGS): "/opt/lib/libcuda.so",
        ("libnvidia-nvvm.so.4", X86_64_FLAGS): "/opt/lib/libnvidia-nvvm.so.4",
    }


def test_a_file_without_the_link_of_its_soname_is_found_itself(root: Path, root_fd: int) -> None:
    tree = {
        "/opt/lib/libfoo.so.1.9": library("libfoo.so.1"),
        "/opt/lib/libfoo.so.1.10": library("libfoo.so.1"),
        "/opt/lib/libbar.so": library(),
    }
    roots.make(root, tree)
    assert scan(root_fd) == {
        ("libfoo.so.1", X86_64_FLAGS): "/opt/lib/libfoo.so.1.10",
        ("libbar.so", X86_64_FLAGS): "/opt/lib/libbar.so",
    }


def test_a_link_that_is_neither_soname_nor_for_development_counts_as_the_file(root: Path, root_fd: int) -> None:
    roots.make(root, {"/store/real": library("libfoo.so.1"), "/opt/lib/libfoo.so.1.9": Link("/store/real")})
    assert scan(root_fd) == {("libfoo.so.1", X86_64_FLAGS): "/opt/lib/libfoo.so.1.9"}


def test_a_soname_link_of_another_machine_is_not_taken_for_it(root: Path, root_fd: int) -> None:
    tree = {
        "/opt/lib/libfoo.so.1": library("libfoo.so.1", machine=I386, bits=32),
        "/opt/lib/libfoo.so.1.9": library("libfoo.so.1"),
    }
    roots.make(root, tree)
    assert scan(root_fd) == {
        ("libfoo.so.1", I386_FLAGS): "/opt/lib/libfoo.so.1",
        ("libfoo.so.1", X86_64_FLAGS): "/opt/lib/libfoo.so.1.9",
    }


@pytest.mark.parametrize("name", ["libfoo.py", "foo.so", "libfoo.so.1.dpkg-new", "libfoo.so.1;5f3a"])
def test_what_has_no_librarys_name_is_none(root: Path, root_fd: int, name: str) -> None:
    roots.make(root, {f"/opt/lib/{name}": library("libfoo.so.1")})
    assert scan(root_fd) == {}


def test_what_is_no_library_of_a_gpu_host_is_none(root: Path, root_fd: int, tmp_path: Path) -> None:
    outside = tmp_path / "libhost.so.1"
    outside.write_bytes(library("libhost.so.1"))
    tree = {
        "/opt/lib/libscript.so": "INPUT(-lfoo)",
        "/opt/lib/libempty.so.1": b"",
        "/opt/lib/libfolder.so.1": None,
        "/opt/lib/libdangling.so.1": Link("none"),
        "/opt/lib/libloop.so.1": Link("libloop.so.1"),
        "/opt/lib/libhost.so.1": Link(str(outside)),
        "/opt/lib/libsparc.so.1": library("libsparc.so.1", machine=43),
        "/opt/lib/libarm.so.1": library("libarm.so.1", machine=AARCH64),
    }
    roots.make(root, tree)
    os.mkfifo(root / "opt/lib/libfifo.so.1")
    assert scan(root_fd) == {("libarm.so.1", 0x0A03): "/opt/lib/libarm.so.1"}


@pytest.mark.parametrize("folder", ["/none", "/file"])
def test_what_is_no_folder_has_no_libraries(root: Path, root_fd: int, folder: str) -> None:
    roots.make(root, {"/file": ""})
    assert scan(root_fd, folder) == {}


def test_names_and_files_are_bounded_over_all_folders(
    root: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "MAX_NAMES", 5)
    monkeypatch.setattr(libraries, "MAX_LIBRARIES", 3)
    tree = {f"/{folder}/lib{number}.so": library() for folder in "abc" for number in range(2)}
    roots.make(root, tree)
    scanner = Scanner(root_fd)
    assert [len(scanner.scan(folder)) for folder in ("/a", "/b", "/c")] == [2, 1, 0]
