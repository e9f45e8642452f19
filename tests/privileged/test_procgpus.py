"""The GPUs of others, hidden in a container's /proc: by Python, and by the launcher as Python does it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linkspan.formats import record
from linkspan.kernel import paths, procgpus
from tests import mounts
from tests.unit.runtime.native import SANITIZED, SOURCES, launcher

pytestmark = pytest.mark.privileged

GPUS = [f"0000:{bus:02x}:00.0" for bus in (0x1A, 0x1B, 0x4A, 0x4B)]
MAIN = """
#define _GNU_SOURCE
#include "procgpus.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
	struct record record = {.rest = {argv[2], strlen(argv[2])}};
	struct shown shown = shown_read(&record);
	return argc != 3 || record.broken || !shown_apply(open(argv[1], O_PATH | O_DIRECTORY), &shown);
}
"""

Hide = Callable[[Path, list[str]], None]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A container's root whose /proc is a mount of its own, as far as the driver is concerned."""
    mounts.enter_private_mounts()
    (tmp_path / "root/proc").mkdir(parents=True)
    for name in GPUS:
        folder = tmp_path / "proc/driver/nvidia/gpus" / name
        folder.mkdir(parents=True)
        (folder / "information").write_text(name)
    mounts.mount(str(tmp_path / "proc"), str(tmp_path / "root/proc"), "", mounts.MS_BIND)
    yield tmp_path / "root"
    mounts.unmount(str(tmp_path / "root/proc"))


def by_python(root: Path, names: list[str]) -> None:
    fd = paths.open_root(str(root))
    try:
        procgpus.show_only(fd, names)
    finally:
        os.close(fd)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The launcher's own source, with a main function of the test's."""
    launcher()  # skips where there are no sanitizers
    folder = tmp_path_factory.mktemp("procgpus")
    (folder / "main.c").write_text(MAIN)
    parts = [f"{SOURCES}/{name}.c" for name in ("procgpus", "mounts", "below", "record", "text", "whole")]
    command = ["gcc", "-std=c11", *SANITIZED, f"-I{SOURCES}", "-o", f"{folder}/hide", f"{folder}/main.c", *parts]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return f"{folder}/hide"


@pytest.fixture(params=["python", "launcher"])
def hide(request: pytest.FixtureRequest) -> Hide:
    """Each of the two that do it."""
    if request.param == "python":
        return by_python
    program = request.getfixturevalue("program")

    def by_launcher(root: Path, names: list[str]) -> None:
        fields = record.render([1, *record.rows([[name] for name in names])]).decode()
        env = {"ASAN_OPTIONS": "detect_leaks=0"}
        argv = [program, str(root), fields]
        done = subprocess.run(argv, env=env, capture_output=True, timeout=20, check=False)
        assert (done.returncode, done.stderr) == (0, b"")

    return by_launcher


def mounted_below(root: Path) -> list[list[str]]:
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return [row for row in map(str.split, file) if row[4].startswith(f"{root}/proc/driver")]


@pytest.mark.parametrize("names", [GPUS[1:3], GPUS[:1], [], [GPUS[0], "0000:ff:00.0"]], ids=len)
def test_only_the_containers_own_gpus_are_in_sight(root: Path, hide: Hide, names: list[str], tmp_path: Path) -> None:
    hide(root, names)
    folder = root / "proc/driver/nvidia/gpus"
    there = [name for name in names if name in GPUS]
    assert sorted(os.listdir(folder)) == there
    assert [(folder / name / "information").read_text() for name in there] == there
    assert sorted(os.listdir(tmp_path / "proc/driver/nvidia/gpus")) == GPUS
    for place in (folder, *(folder / name for name in there)):
        with pytest.raises(OSError, match="Read-only file system"):
            (place / "new").mkdir()
    rows = mounted_below(root)
    assert len(rows) == 1 + len(there)
    assert all({"ro", "nosuid", "nodev", "noexec"} <= set(row[5].split(",")) for row in rows)


def test_nothing_is_mounted_where_nothing_is_to_be_hidden(root: Path, hide: Hide) -> None:
    hide(root, GPUS)
    assert mounted_below(root) == []


def test_nor_where_the_host_has_no_such_folder(tmp_path: Path, hide: Hide) -> None:
    (tmp_path / "bare").mkdir()
    hide(tmp_path / "bare", GPUS[:1])
    assert os.listdir(tmp_path / "bare") == []


def test_a_second_time_changes_nothing(root: Path, hide: Hide) -> None:
    hide(root, GPUS[:2])
    rows = mounted_below(root)
    hide(root, GPUS[:2])
    assert mounted_below(root) == rows
