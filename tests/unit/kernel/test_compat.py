"""Whether an image's CUDA compatibility libraries beat the host's (contract 6.4)."""

import json
import os
from pathlib import Path

import pytest

from linkspan.kernel import compat
from tests.elf import library
from tests.unit.kernel import roots
from tests.unit.kernel.roots import Link

NOTE = {"Format": 1, "CUDA Version": "13.0", "Driver": [535, 550], "Device": [1]}


def image(root: Path, version: str = "550.54.15", note: object = None) -> Path:
    text = None if note is None else json.dumps(note).encode()
    tree = {
        f"/usr/local/cuda-12.6/compat/libcuda.so.{version}": library("libcuda.so.1", note=text),
        "/usr/local/cuda-12.6/compat/libcuda.so.1": Link(f"libcuda.so.{version}"),
        "/usr/local/cuda": Link("/usr/local/cuda-12.6"),
    }
    return roots.make(root, tree)


def usable(root_fd: int, driver: str = "", cuda: str = "", folder: str = "") -> bool:
    found = compat.usable_folder(root_fd, driver, cuda, folder)
    assert found in ("", "/usr/local/cuda-12.6/compat")
    return bool(found)


@pytest.mark.parametrize(
    ("libcuda", "host", "answer"),
    [
        # The image's version and note; the host's driver and CUDA; whether the image's are used.
        # No note: newer by its major number, and only where no CUDA version is given.
        (("550.54.15", None), ("535.104.05", ""), True),
        (("550.54.15", None), ("550.54.14", ""), False),
        (("550.54.15", None), ("560.28.03", ""), False),
        (("1000.1", None), ("550.54.15", ""), True),
        (("550.54.15", None), ("535.104.05", "12.2"), False),
        (("550.54.15", None), ("", "12.2"), False),
        (("550.54.beta", None), ("535.104.05", ""), False),
        (("550.54.15", None), ("unknown", ""), False),
        # A note and both driver versions: the host's major is listed, and the whole version is newer.
        (("580.65.06", NOTE), ("550.54.15", ""), True),
        (("580.65.06", NOTE), ("560.28.03", ""), False),
        (("550.54.15", NOTE), ("550.54.14", ""), True),
        (("550.54.15", NOTE), ("550.054.15", ""), False),
        (("550.54.15", NOTE), ("550.54.15", "12.2"), False),
        (("580.65.06", {"Driver": "550"}), ("550.54.15", "13.0"), False),
        # A note without one of them: by CUDA.
        (("580.65.06", NOTE), ("", "12.9"), True),
        (("580.65.06", NOTE), ("", "13.0"), False),
        (("580.beta.1", NOTE), ("550.54.15", "12.9"), True),
        (("580.beta.1", NOTE), ("550.54.15", ""), False),
        (("580.65.06", {"Driver": [550]}), ("", "12.9"), False),
        (("580.65.06", NOTE), ("", "new"), False),
    ],
)
def test_the_table_of_decisions(
    root: Path, root_fd: int, libcuda: tuple[str, object], host: tuple[str, str], answer: bool
) -> None:
    image(root, *libcuda)
    assert usable(root_fd, *host) is answer


@pytest.mark.parametrize("note", [[1, 2], "text", 5])
def test_a_note_that_is_no_object_is_none(root: Path, root_fd: int, note: object) -> None:
    image(root, "550.54.15", note)
    assert usable(root_fd, "535.104.05")


@pytest.mark.parametrize("text", [b"{", b"\xff\xfe", b""])
def test_a_note_that_cannot_be_read_is_none(root: Path, root_fd: int, text: bytes) -> None:
    image(root)
    path = root / "usr/local/cuda-12.6/compat/libcuda.so.550.54.15"
    path.write_bytes(library("libcuda.so.1", note=text))
    assert usable(root_fd, "535.104.05")
    path.write_bytes(b"no library at all")
    assert usable(root_fd, "535.104.05")


def test_without_a_version_of_the_host_nothing_is_compared(root: Path, root_fd: int) -> None:
    image(root)
    assert not usable(root_fd)


def test_another_folder_can_be_named(root: Path, root_fd: int) -> None:
    image(root)
    assert usable(root_fd, "535.104.05", folder="/usr/local/cuda-12.6/../cuda/compat")
    assert not usable(root_fd, "535.104.05", folder="/opt/compat")


def test_two_versions_side_by_side_decide_nothing(root: Path, root_fd: int) -> None:
    image(root)
    (root / "usr/local/cuda-12.6/compat/libcuda.so.560.28.03").write_bytes(library("libcuda.so.1"))
    assert not usable(root_fd, "535.104.05")


@pytest.mark.parametrize("plant", ["link", "folder", "fifo"])
def test_only_a_regular_file_is_a_candidate(root: Path, root_fd: int, plant: str, tmp_path: Path) -> None:
    image(root)
    path = root / "usr/local/cuda-12.6/compat/libcuda.so.550.54.15"
    path.rename(tmp_path / "host-libcuda")
    if plant == "link":
        path.symlink_to(tmp_path / "host-libcuda")
    elif plant == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert not usable(root_fd, "535.104.05")


@pytest.mark.parametrize("target", ["/", "../../../../../..", "compat"])
def test_a_folder_that_leads_elsewhere_holds_nothing(root: Path, root_fd: int, target: str) -> None:
    roots.make(root, {"/usr/local/cuda/compat": Link(target), "/file": ""})
    assert not usable(root_fd, "535.104.05")
