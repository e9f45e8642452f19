"""The GPUs that a container sees in /proc, as Python and the native launcher make it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linkspan.errors import KernelError
from linkspan.kernel import gpus, paths, stamps
from linkspan.runtime.carrier import Carrier
from tests import mounts
from tests.unit.runtime import native

pytestmark = pytest.mark.privileged

THREE = ["0000:07:00.0", "0000:0f:00.0", "0000:47:00.0"]
MAIN = """
#define _GNU_SOURCE
#include "mask.h"
#include <fcntl.h>
int main(int argc, char **argv)
{
	return !mask_gpus(open(argv[1], O_PATH | O_DIRECTORY), (const char *const *)argv + 2, argc - 2);
}
"""

Show = Callable[..., None]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A container's root, whose folder of GPUs is on a mount of its own; what is mounted there goes with it."""
    mounts.enter_private_mounts()
    for name in THREE:
        folder = tmp_path / "proc/driver/nvidia/gpus" / name
        folder.mkdir(parents=True)
        (folder / "information").write_text(name)
    (tmp_path / "root/proc").mkdir(parents=True)
    mounts.mount(str(tmp_path / "proc"), str(tmp_path / "root/proc"), "", mounts.MS_BIND)
    yield tmp_path / "root"
    mounts.unmount(str(tmp_path / "root/proc"))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    return native.part(tmp_path_factory.mktemp("gpus"), MAIN, "mask", "carry", "below", "record", "text", "whole")


def by_python(root: Path, *names: str) -> None:
    root_fd = paths.open_root(str(root))
    try:
        gpus.show_only(root_fd, names)
    finally:
        os.close(root_fd)


@pytest.fixture(params=["python", "native"])
def show(request: pytest.FixtureRequest) -> Show:
    """Shows these GPUs alone below a root."""
    if request.param == "python":
        return by_python
    program = request.getfixturevalue("program")

    def by_launcher(root: Path, *names: str) -> None:
        env = {"ASAN_OPTIONS": "detect_leaks=0"}
        done = subprocess.run([program, str(root), *names], env=env, capture_output=True, timeout=20, check=False)
        assert (done.returncode, done.stderr) == (0, b"")

    return by_launcher


def mounted(root: Path) -> dict[str, set[str]]:
    """What is mounted below the folder of GPUs, with its flags."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        rows = [line.split() for line in file]
    top = f"{root}{gpus.FOLDER}"
    return {row[4].removeprefix(top): set(row[5].split(",")) for row in rows if row[4].startswith(top)}


def seen(root: Path) -> dict[str, str]:
    """The GPUs that the container sees, and what each says of itself."""
    return {entry.name: (entry / "information").read_text() for entry in Path(f"{root}{gpus.FOLDER}").iterdir()}


def test_the_container_sees_those_that_it_was_given_and_the_host_sees_all(
    root: Path, tmp_path: Path, show: Show
) -> None:
    show(root, THREE[0], THREE[2])
    assert seen(root) == {name: name for name in (THREE[0], THREE[2])}
    assert sorted(os.listdir(tmp_path / "proc/driver/nvidia/gpus")) == THREE


def test_who_has_the_driver_and_no_gpu_sees_none(root: Path, show: Show) -> None:
    show(root)
    assert seen(root) == {}


def test_nothing_of_it_can_be_written(root: Path, show: Show) -> None:
    show(root, THREE[1])
    found = mounted(root)
    assert sorted(found) == ["", f"/{THREE[1]}"]
    assert all({"ro", "nosuid", "nodev", "noexec"} <= flags for flags in found.values())


def test_a_second_time_covers_nothing_again(root: Path, show: Show) -> None:
    show(root, THREE[1])
    show(root, THREE[1])
    assert len(mounted(root)) == 2


def test_a_container_with_all_of_them_is_left_alone(root: Path, show: Show) -> None:
    show(root, *THREE)
    assert mounted(root) == {}


def test_what_would_appear_on_the_host_is_not_mounted(root: Path, show: Show) -> None:
    mounts.mount("", f"{root}/proc", "", mounts.MS_SHARED)
    show(root, THREE[1])
    assert mounted(root) == {}


def test_a_gpu_that_has_left_the_host_is_not_shown(root: Path, show: Show) -> None:
    show(root, THREE[1], "0000:ff:00.0")
    assert seen(root) == {THREE[1]: THREE[1]}


def test_a_root_without_such_a_folder_stays_as_it_is(tmp_path: Path, show: Show) -> None:
    for names in ((), ("proc",)):
        root = tmp_path.joinpath("bare", *names)
        root.mkdir(parents=True)
        show(tmp_path / "bare", THREE[0])
        assert [entry.name for entry in (tmp_path / "bare").iterdir()] == list(names)


def test_a_link_in_the_folders_place_leads_nowhere(root: Path, tmp_path: Path, program: str) -> None:
    folder = tmp_path / "proc/driver/nvidia/gpus"
    folder.rename(tmp_path / "proc/others")
    folder.symlink_to("/proc/others")
    with pytest.raises(KernelError, match="cannot cover"):
        by_python(root, THREE[0])
    assert subprocess.run([program, str(root)], timeout=20, check=False).returncode == 1, "it is left to Python"
    assert not any("others" in row for row in Path("/proc/self/mountinfo").read_text("utf-8").splitlines())


def test_a_failure_leaves_no_cover(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gpus.os, "mkdir", refuse)
    with pytest.raises(KernelError, match=f"cannot cover {gpus.FOLDER}"):
        by_python(root, THREE[0])
    assert mounted(root) == {}


@pytest.mark.parametrize("edits", [{"show_gpus": []}, {}], ids=["hides", "does not"])
def test_edits_that_name_the_gpus_to_show_hide_the_others(
    root: Path, monkeypatch: pytest.MonkeyPatch, edits: dict[str, list[str]]
) -> None:
    monkeypatch.setattr(stamps, "exists", lambda path: path == gpus.FOLDER)
    root_fd = paths.open_root(str(root))
    Carrier(edits, -1, root_fd, (0, 0), binds_nodes=False).mount([], None)
    os.close(root_fd)
    assert len(seen(root)) == (0 if "show_gpus" in edits else 3)
