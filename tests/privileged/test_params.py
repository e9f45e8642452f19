"""The driver's parameters of a container, covered by a mount."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkspan.errors import KernelError
from linkspan.kernel import params, paths, stamps
from linkspan.runtime import cdi_hook
from tests import mounts

pytestmark = pytest.mark.privileged

TEXT = "ResmanDebugLevel: 4294967295\nModifyDeviceFiles: 1\n"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A container's root whose /proc is a mount of its own, as far as the driver is concerned."""
    mounts.enter_private_mounts()
    for name in ("root/proc", "proc/driver/nvidia/gpus"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "proc/driver/nvidia/params").write_text(TEXT)
    mounts.mount(str(tmp_path / "proc"), str(tmp_path / "root/proc"), "", mounts.MS_BIND)
    yield tmp_path / "root"
    mounts.unmount(str(tmp_path / "root/proc"))


@pytest.fixture
def root_fd(root: Path) -> Iterator[int]:
    fd = paths.open_root(str(root))
    yield fd
    os.close(fd)


def mounted_below(root: Path) -> list[list[str]]:
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        rows = [line.split() for line in file]
    return [row for row in rows if row[4].startswith(f"{root}/proc/driver")]


def test_the_container_sees_a_copy_that_leaves_device_nodes_alone(root: Path, root_fd: int, tmp_path: Path) -> None:
    params.mask_params(root_fd)
    covered = root / "proc/driver/nvidia/params"
    assert covered.read_text() == TEXT.replace("Files: 1", "Files: 0")
    assert (tmp_path / "proc/driver/nvidia/params").read_text() == TEXT
    assert sorted(os.listdir(root / "proc/driver/nvidia")) == ["gpus", "params"]
    with pytest.raises(OSError, match="Read-only file system"):
        covered.write_text("ModifyDeviceFiles: 1\n")


def test_the_toolkits_hook_of_that_name_does_the_same(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exits: list[int] = []
    monkeypatch.setattr(stamps, "exists", lambda path: path == params.PATH)
    monkeypatch.setattr(cdi_hook.os, "_exit", exits.append)
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"bundle": str(tmp_path), "root": "root"}))
    cdi_hook.main("1", ["disable-device-node-modification", "--container-spec", str(state)])
    assert exits == [0]
    assert (root / "proc/driver/nvidia/params").read_text() == TEXT.replace("Files: 1", "Files: 0")


def test_one_mount_is_left_and_it_is_harmless(root: Path, root_fd: int) -> None:
    params.mask_params(root_fd)
    [row] = mounted_below(root)
    assert row[4] == f"{root}{params.PATH}"
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(row[5].split(","))
    assert row[row.index("-") + 1] == "tmpfs"


def test_a_second_time_covers_nothing_again(root: Path, root_fd: int) -> None:
    params.mask_params(root_fd)
    params.mask_params(root_fd)
    assert len(mounted_below(root)) == 1


def test_a_failure_leaves_no_mount(root: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(params.os, "write", refuse)
    with pytest.raises(KernelError, match="cannot cover"):
        params.mask_params(root_fd)
    assert mounted_below(root) == []


def test_the_hosts_own_proc_is_not_covered_on_the_host(root: Path, root_fd: int) -> None:
    mounts.mount("", str(root / "proc"), "", mounts.MS_SHARED)
    params.mask_params(root_fd)
    assert mounted_below(root) == []
    assert (root / "proc/driver/nvidia/params").read_text() == TEXT
