"""The application profile that names a container's GPUs to EGL."""

import os
import stat
from pathlib import Path

import pytest

from linkspan.kernel import profile
from tests.unit.kernel import roots


def path(root: Path) -> Path:
    return root / "etc/nvidia/nvidia-application-profiles-rc.d/10-container.conf"


def test_the_profile_is_the_toolkits_to_the_byte(root: Path, root_fd: int) -> None:
    profile.write(root_fd, [0, 3])
    assert path(root).read_bytes() == (
        b'{"profiles":[{"name":"_container_","settings":["EGLVisibleDGPUDevices",0x9]}],'
        b'"rules":[{"pattern":[],"profile":"_container_"}]}'
    )
    assert [stat.S_IMODE(place.stat().st_mode) for place in (path(root), path(root).parent)] == [0o444, 0o555]


def test_all_minors_of_a_mask_can_be_named() -> None:
    assert b"0x8000000000000000" in profile.render([63])


@pytest.mark.parametrize("minors", [[], [0, 64], [255]])
def test_gpus_that_no_mask_can_name_get_no_profile_rather_than_one_that_hides_them(
    root: Path, root_fd: int, minors: list[int]
) -> None:
    profile.write(root_fd, minors)
    assert os.listdir(root) == []


def test_another_containers_profile_is_replaced_and_the_same_one_is_not(root: Path, root_fd: int) -> None:
    profile.write(root_fd, [0, 1, 2, 3, 4, 5, 6, 7])
    profile.write(root_fd, [1])
    assert b"0x2]" in path(root).read_bytes()
    before = roots.snapshot(root)
    profile.write(root_fd, [1])
    assert roots.snapshot(root) == before


def test_a_container_without_devices_has_no_gpus(root: Path, root_fd: int) -> None:
    assert profile.gpu_minors(root_fd) == []
    roots.make(root, {"/dev/nvidia0": "no device", "/dev/nvidiactl": "", "/dev/nvidia²": ""})
    assert profile.gpu_minors(root_fd) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device nodes")
def test_gpu_nodes_are_counted_by_their_minors(root: Path, root_fd: int) -> None:
    roots.make(root, {"/dev": None})
    for name, minor in (("nvidia5", 5), ("nvidia0", 10), ("nvidiactl", 255), ("nvidia-uvm", 0), ("nvidia1x", 1)):
        try:
            os.mknod(root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(195, minor))
        except PermissionError:
            pytest.skip("this machine does not let root make device nodes")
    assert profile.gpu_minors(root_fd) == [5, 10]
