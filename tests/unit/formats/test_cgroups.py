"""Where a process's device cgroup is."""

from linkspan.formats.cgroups import device_cgroups

V1 = b"9:devices:/box\n0::/\n"
BOTH = b"9:devices:/\n0::/box\n"


def mounts(*lines: str) -> bytes:
    return "".join(
        f"30 20 0:26 / {place} rw - {kind} {kind} rw,{options}\n" for place, kind, options in map(str.split, lines)
    ).encode()


def found(cgroup: bytes, *lines: str) -> list[tuple[int, str]]:
    return list(device_cgroups(cgroup, mounts(*lines)))


def test_a_hierarchy_of_devices_stands_before_the_unified_one():
    assert found(
        V1, "/sys/fs/cgroup/unified cgroup2 x", "/sys/fs/cgroup/cpu cgroup cpu", "/sys/fs/cgroup/devices cgroup devices"
    ) == [(1, "/sys/fs/cgroup/devices/box"), (2, "/sys/fs/cgroup/unified")]


def test_the_last_mount_at_one_place_stands_first():
    assert found(V1, "/sys/fs/cgroup/a cgroup devices", "/sys/fs/cgroup/b cgroup devices") == [
        (1, "/sys/fs/cgroup/b/box"),
        (1, "/sys/fs/cgroup/a/box"),
    ]


def test_mounts_of_a_chroot_stand_last_whichever_their_version():
    chroot = "/srv/chroot/sys/fs/cgroup/devices cgroup devices"
    assert found(BOTH, chroot, "/sys/fs/cgroup cgroup2 x") == [
        (2, "/sys/fs/cgroup/box"),
        (1, "/srv/chroot/sys/fs/cgroup/devices"),
    ]
    assert found(V1, "/sys/fs/cgroup/devices cgroup devices", chroot)[0] == (1, "/sys/fs/cgroup/devices/box")


def test_where_nothing_is_mounted_at_the_usual_place_any_other_serves():
    assert found(V1, "/cgroups/devices cgroup devices") == [(1, "/cgroups/devices/box")]


def test_a_cgroup_that_a_mount_does_not_show_is_not_found_there():
    below = b"31 20 0:26 /docker /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n"
    assert list(device_cgroups(b"9:devices:/docker/box\n", below)) == [(1, "/sys/fs/cgroup/devices/box")]
    assert list(device_cgroups(b"9:devices:/other\n", below)) == []
    assert list(device_cgroups(b"9:devices:/../box\n", mounts("/sys/fs/cgroup/devices cgroup devices"))) == []
