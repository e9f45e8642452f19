"""The folders of GPUs in a container's /proc: those of its own GPUs are there, and no others."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linkspan.errors import KernelError, UnsafePath
from linkspan.kernel import gpu_folders, paths
from tests import mounts
from tests.unit.runtime.native import part

pytestmark = pytest.mark.privileged

GPUS = ["0000:1a:00.0", "0000:1b:00.0", "0000:4a:00.0"]
MAIN = """
#define _GNU_SOURCE
#include "gpus.h"
#include <fcntl.h>
int main(int argc, char **argv)
{
	struct gpus gpus = {true, (const char **)argv + 2, argc - 2};
	return !gpus_hide(open(argv[1], O_PATH | O_DIRECTORY), &gpus);
}
"""

Hide = Callable[[Path, list[str]], bool]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A container's root whose /proc is a mount of its own, as far as the driver is concerned."""
    mounts.enter_private_mounts()
    for name in GPUS:
        folder = tmp_path / "proc/driver/nvidia/gpus" / name
        folder.mkdir(parents=True)
        (folder / "information").write_text(name)
    (tmp_path / "root/proc").mkdir(parents=True)
    mounts.mount(str(tmp_path / "proc"), str(tmp_path / "root/proc"), "", mounts.MS_BIND)
    yield tmp_path / "root"
    for place in reversed(mounted_below(tmp_path)):
        mounts.unmount(place)


def mounted_below(folder: Path) -> list[str]:
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return [place for line in file if (place := line.split()[4]).startswith(str(folder))]


def hide_by_python(root: Path, names: list[str]) -> bool:
    fd = paths.open_root(str(root))
    try:
        gpu_folders.show_only(fd, names)
    except (KernelError, UnsafePath):
        return False
    finally:
        os.close(fd)
    return True


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    return part(tmp_path_factory.mktemp("gpus"), MAIN, "gpus", "mask", "carry", "below", "whole", "record", "text")


@pytest.fixture(params=["python", "native"])
def hide(request: pytest.FixtureRequest) -> Hide:
    """Both that do it: true where it was done."""
    if request.param == "python":
        return hide_by_python
    program: str = request.getfixturevalue("program")
    env = {"ASAN_OPTIONS": "detect_leaks=0"}

    def run(root: Path, names: list[str]) -> bool:
        done = subprocess.run([program, str(root), *names], env=env, capture_output=True, timeout=20, check=False)
        assert done.stderr == b""
        return done.returncode == 0

    return run


def seen(root: Path) -> dict[str, str]:
    folder = root / "proc/driver/nvidia/gpus"
    return {name: (folder / name / "information").read_text() for name in sorted(os.listdir(folder))}


@pytest.mark.parametrize("shown", [GPUS[:1], GPUS[1:], []], ids=len)
def test_only_the_folders_of_its_own_gpus_are_seen(root: Path, tmp_path: Path, hide: Hide, shown: list[str]) -> None:
    assert hide(root, shown)
    assert seen(root) == {name: name for name in shown}
    assert sorted(os.listdir(tmp_path / "proc/driver/nvidia/gpus")) == GPUS


def test_what_is_seen_cannot_be_changed(root: Path, hide: Hide) -> None:
    assert hide(root, GPUS[:1])
    folder = root / "proc/driver/nvidia/gpus"
    for place in (folder / "new", folder / GPUS[0] / "new", folder / GPUS[0] / "information"):
        with pytest.raises(OSError, match="Read-only file system"):
            place.write_text("changed")


def test_every_mount_that_is_left_is_harmless(root: Path, hide: Hide) -> None:
    before = mounted_below(root)
    assert hide(root, GPUS[:2])
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        rows = [line.split() for line in file if line.split()[4].startswith(f"{root}/proc/driver")]
    assert len(rows) == len(mounted_below(root)) - len(before) == 3
    assert all({"ro", "nosuid", "nodev", "noexec"} <= set(row[5].split(",")) for row in rows)


def test_a_gpu_that_has_no_folder_is_left_out(root: Path, hide: Hide) -> None:
    assert hide(root, [GPUS[0], "0000:ff:00.0"])
    assert list(seen(root)) == GPUS[:1]


@pytest.mark.parametrize("names", [GPUS, [*GPUS, "0000:ff:00.0"]], ids=len)
def test_where_all_may_be_seen_nothing_is_mounted(root: Path, hide: Hide, names: list[str]) -> None:
    before = mounted_below(root)
    assert hide(root, names)
    assert mounted_below(root) == before


def test_a_second_time_covers_nothing_again(root: Path, hide: Hide) -> None:
    assert hide(root, GPUS[:1])
    before = mounted_below(root)
    assert hide(root, GPUS[:1])
    assert mounted_below(root) == before


def test_a_root_without_the_drivers_proc_is_left_alone(tmp_path: Path, hide: Hide) -> None:
    mounts.enter_private_mounts()
    (tmp_path / "proc").mkdir()
    assert hide(tmp_path, GPUS[:1])
    assert mounted_below(tmp_path) == []


def test_a_proc_that_the_host_shares_is_not_covered(root: Path, tmp_path: Path, hide: Hide) -> None:
    mounts.mount("none", str(root / "proc"), "", 1 << 20)  # MS_SHARED
    before = mounted_below(tmp_path)
    assert not hide(root, GPUS[:1])
    assert mounted_below(tmp_path) == before
    assert list(seen(root)) == GPUS


def test_a_link_in_the_place_of_a_folder_is_not_followed(root: Path, tmp_path: Path, hide: Hide) -> None:
    (tmp_path / "proc/driver/nvidia/gpus/0000:ff:00.0").symlink_to("/etc")
    before = mounted_below(root)
    assert not hide(root, ["0000:ff:00.0"])
    assert mounted_below(root) == before
