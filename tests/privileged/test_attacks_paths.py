"""Images that lead a writer from one path below their root to the host, or keep a reader for ever.

Each attack is first shown to work on a writer or reader that goes by name. Whole starts are in test_attacks_files.py.
"""

import contextlib
import ctypes
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from linkspan.errors import KernelError, LinkspanError, UnsafePath
from linkspan.kernel import paths, prepare
from tests.elf import library
from tests.unit.kernel import roots

pytestmark = pytest.mark.privileged

LIBS = "/usr/lib/x86_64-linux-gnu"
COMPAT = "/usr/local/cuda/compat"
WRITTEN = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d/00-linkspan.conf",
    "/etc/ld.so.conf.d/00-compat-linkspan.conf",
    "/etc/ld-musl-x86_64.path",
    "/etc/nvidia/nvidia-application-profiles-rc.d/10-container.conf",
    f"{LIBS}/libcuda.so.1",
    "/opt/nvidia/libcuda.so",
)
FOLDERS = sorted({str(parent) for path in WRITTEN for parent in list(Path(path).parents)[:-1]})


def work(number: int = 0) -> dict[str, Any]:
    """Everything that is ever done below a root; another ``number`` has other content at the same paths."""
    return {
        "arch": "x86_64",
        "links": [
            [f"libcuda.so.550.{number}", f"{LIBS}/libcuda.so.1"],
            [f"libcuda.{number}", "/opt/nvidia/libcuda.so"],
        ],
        "loadables": [[f"{LIBS}/libcuda.so.1", 64], [f"/opt/nvidia/{number}/libx.so", 64]],
        "compat": {"driver": "550.163.01", "cuda": "", "root": COMPAT},
        "profile": [number % 64],
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An image with two loaders and newer CUDA libraries, so that every path is written."""
    tree = {
        "/lib64/ld-linux-x86-64.so.2": "",
        "/lib/ld-musl-x86_64.so.1": "",
        "/etc/ld.so.cache": "",
        f"{COMPAT}/libcuda.so.575.57.08": library("libcuda.so.1"),
        LIBS: None,
        "/opt/nvidia": None,
    }
    return roots.make(tmp_path / "root", tree)


class Victim:
    """A folder of the host, and a file in it, which no image has any business with."""

    def __init__(self, folder: Path) -> None:
        self.folder = roots.make(folder, {"file": "the host's"})
        self.file = folder / "file"
        self.missing = folder / "missing"
        self._before = roots.snapshot(folder)

    @property
    def untouched(self) -> bool:
        return roots.snapshot(self.folder) == self._before


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    return Victim(tmp_path / "victim")


def prepare_root(root: Path, number: int = 0) -> None:
    fd = paths.open_root(str(root))
    try:
        prepare.prepare(fd, work(number))
    finally:
        os.close(fd)


def write_by_name(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("written by name")


def plant(place: Path, target: str) -> None:
    """Put a symlink in a path's place, a folder's too."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(place):
        place.rename(place.with_name(f"{place.name}.old"))
    place.symlink_to(target)


LEADS: dict[str, Callable[[Path, Path], str]] = {
    "absolute": lambda target, _: str(target),
    "upwards": lambda target, _: "../" * 40 + str(target).lstrip("/"),
    "through proc": lambda target, _: f"/proc/self/root{target}",
}


def test_every_path_that_is_written_is_attacked_here(root: Path) -> None:
    before = {str(path) for path in root.rglob("*")}
    prepare_root(root)
    (root / "etc/ld.so.cache").unlink()
    new = {str(path) for path in root.rglob("*") if path.is_symlink() or path.is_file()} - before
    assert new | {f"{root}/etc/ld.so.cache"} == {f"{root}{path}" for path in WRITTEN}


@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("path", WRITTEN)
def test_a_link_in_a_files_place_leads_nobody_out_who_goes_by_descriptors(
    root: Path, victim: Victim, path: str, lead: str
) -> None:
    for target in (victim.file, victim.missing):
        plant(root / path[1:], LEADS[lead](target, root))
        with contextlib.suppress(LinkspanError):
            prepare_root(root)
        assert victim.untouched
        (root / path[1:]).unlink()
    plant(root / path[1:], LEADS[lead](victim.file, root))
    write_by_name(root / path[1:])
    assert victim.file.read_text() == "written by name"


@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("path", FOLDERS)
def test_a_link_in_a_folders_place_leads_nobody_out_either(root: Path, victim: Victim, path: str, lead: str) -> None:
    plant(root / path[1:], LEADS[lead](victim.folder, root))
    with contextlib.suppress(LinkspanError):
        prepare_root(root)
    assert victim.untouched
    write_by_name(root / path[1:] / "new")
    assert not victim.untouched


def test_what_a_dangling_folder_holds_is_made_inside_where_mount_points_are_made_too(
    root: Path, victim: Victim
) -> None:
    plant(root / LIBS[1:], str(victim.folder))
    prepare_root(root)
    assert victim.untouched
    inside = root / str(victim.folder)[1:]
    assert os.readlink(inside / "libcuda.so.1") == "libcuda.so.550.0"


def test_a_link_of_the_kernels_leads_nobody_out(tmp_path: Path, victim: Victim) -> None:
    """/proc/PID/root is more than its text to a walker by name: it leads to wherever that process has its root."""
    proc = os.open("/proc", os.O_PATH)
    try:
        host = f"/proc/self/fd/{proc}/self/root{victim.file}"
        assert Path(host).read_text() == "the host's"
        assert paths.read_file(proc, f"/self/root{victim.file}", 100) is None
        assert paths.read_file(proc, f"/self/cwd/../..{victim.file}", 100) is None
    finally:
        os.close(proc)


def exchange(one: Path, other: Path) -> None:
    renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    if renameat2(-100, os.fsencode(one), -100, os.fsencode(other), 2):
        raise OSError(ctypes.get_errno(), "renameat2")


@contextlib.contextmanager
def swapping(place: Path, target: Path) -> Iterator[None]:
    """Exchange a folder with a link to ``target`` again and again."""
    link = place.with_name(f"{place.name}.link")
    link.symlink_to(target)
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            exchange(place, link)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("path", ["/etc", "/etc/ld.so.conf.d", "/usr", LIBS])
def test_a_folder_that_is_swapped_meanwhile_leads_nobody_out(root: Path, victim: Victim, path: str) -> None:
    place = root / path[1:]
    place.mkdir(exist_ok=True)
    done = 0
    began = time.monotonic()
    with swapping(place, victim.folder):
        # A busy machine gets fewer runs through in the same time, so it is given more of it.
        while (lasted := time.monotonic() - began) < 1.5 or (done <= 10 and lasted < 60):
            with contextlib.suppress(LinkspanError):
                prepare_root(root, done)
                done += 1
    assert victim.untouched
    assert done > 10, "hardly any run got through, so this shows nothing"


def test_the_same_swap_leads_out_who_looks_first_and_then_goes_by_name(root: Path, victim: Victim) -> None:
    end = time.monotonic() + 20
    with swapping(root / "etc", victim.folder):
        while victim.untouched and time.monotonic() < end:
            if not (root / "etc").is_symlink():
                with contextlib.suppress(OSError):
                    (root / "etc/new").write_text("led out")
    assert not victim.untouched


@pytest.mark.parametrize("path", [*WRITTEN[:6], "/etc/ld.so.conf.d/a.conf", f"{COMPAT}/libcuda.so.1"])
def test_no_device_node_of_an_image_is_opened(root: Path, path: str) -> None:
    """A node without a driver answers an open with ENXIO, so whoever opens it is seen."""
    place = root / path[1:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    try:
        os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(195, 200))
    except PermissionError:
        pytest.skip("this machine does not let root make device nodes")
    with pytest.raises(OSError):  # ENXIO, or EPERM where a device cgroup denies it: it was tried
        place.read_bytes()
    prepare_root(root)


@pytest.mark.parametrize("path", [*WRITTEN[:6], "/etc/ld.so.conf.d/a.conf", f"{COMPAT}/libcuda.so.1"])
def test_no_fifo_of_an_image_is_waited_for(root: Path, path: str) -> None:
    place = root / path[1:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    waiter = threading.Thread(target=place.read_bytes, daemon=True)
    waiter.start()
    waiter.join(0.1)
    assert waiter.is_alive()
    writer = os.open(place, os.O_WRONLY)  # lets the waiter go
    os.close(writer)
    waiter.join()
    started = time.monotonic()
    prepare_root(root)
    assert time.monotonic() - started < 5


def test_an_etc_in_circles_stops_with_a_sentence(root: Path) -> None:
    plant(root / "etc", "../etc")
    with pytest.raises(UnsafePath, match=r"^/etc.* leads through more than 40 symlinks$"):
        prepare_root(root)


def test_a_folder_in_a_files_place_stops_with_a_sentence(root: Path) -> None:
    (root / "etc/ld.so.cache").unlink()
    (root / "etc/ld.so.cache").mkdir()
    with pytest.raises(KernelError, match=r"^cannot write /etc/ld.so.cache in the container: Is a directory$"):
        prepare_root(root)
