"""Scopes of systemd: which cgroups are one, and the drop-in that allows devices."""

import pytest

from linkspan.formats import scopes

ID = "0123456789abcdef" * 4


@pytest.mark.parametrize("engine", ["docker", "libpod", "cri-containerd", "nerdctl", "crio"])
def test_the_scope_of_an_engines_container_is_known_by_its_cgroup(engine: str) -> None:
    unit = f"{engine}-{ID}.scope"
    assert scopes.unit_of(f"/sys/fs/cgroup/devices/system.slice/{unit}") == unit
    assert scopes.unit_of(f"/sys/fs/cgroup/kubepods.slice/kubepods-pod1.slice/{unit}") == unit


@pytest.mark.parametrize(
    "cgroup",
    [
        "",
        f"docker-{ID}.scope",
        f"/sys/fs/cgroup/docker/{ID}",
        f"/sys/fs/cgroup/system.slice/docker-{ID}.service",
        f"/sys/fs/cgroup/system.slice/docker-{ID}.scope/container",
        f"/sys/fs/cgroup/docker-{ID}.scope",
        "/sys/fs/cgroup/system.slice/.scope",
        f"/sys/fs/cgroup/system.slice/-{ID}.scope",
        f"/sys/fs/cgroup/system.slice/do\ncker-{ID}.scope",
        f"/sys/fs/cgroup/system.slice/do cker-{ID}.scope",
    ],
)
def test_a_cgroup_that_is_no_such_scope_has_no_unit(cgroup: str) -> None:
    assert scopes.unit_of(cgroup) == ""


@pytest.mark.parametrize("name", ["runc-mine", f"docker-{ID[1:]}", f"docker-{ID[1:]}A", f"docker-{ID}-0"])
def test_a_name_that_another_container_may_have_tomorrow_is_none(name: str) -> None:
    assert scopes.unit_of(f"/sys/fs/cgroup/system.slice/{name}.scope") == ""


def test_the_drop_in_allows_each_device_in_the_section_of_scopes() -> None:
    lines = scopes.drop_in([("/dev/char/195:0", "rw"), ("/dev/nvidiactl", "rwm")]).splitlines()
    assert lines[0].startswith("#")
    assert lines[1:] == ["[Scope]", "DeviceAllow=/dev/char/195:0 rw", "DeviceAllow=/dev/nvidiactl rwm"]


def test_devices_are_named_by_number_as_runc_names_them() -> None:
    assert scopes.by_number("c", 195, 0) == "/dev/char/195:0"
    assert scopes.by_number("b", 8, 1) == "/dev/block/8:1"


def test_a_path_that_a_units_file_would_read_otherwise_is_not_plain() -> None:
    assert scopes.is_plain("/dev/nvidia-caps/nvidia-cap1")
    for path in ("/dev/a b", "/dev/%i", '/dev/"', "/dev/a\n", "/dev/\\x20"):
        assert not scopes.is_plain(path)
