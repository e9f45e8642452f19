"""When a read-only root may be written all the same; real mounts are tested in tests/privileged/test_native_cdi.py."""

import errno
import os
from pathlib import Path

import pytest

from linkspan.kernel import mounts, writable

HOST = b"25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"
OVERLAY = b"93 25 0:39 / /run/c/rootfs rw,relatime - overlay overlay rw,lowerdir=/l"
LAYER = b"94 25 8:1 /layers/1 /run/c/rootfs ro,relatime shared:2 - ext4 /dev/sda1 rw"
FULL = b"94 25 8:1 /layers/1 /run/c/rootfs relatime,ro - ext4 /dev/sda1 rw"


@pytest.mark.parametrize(
    ("outside", "root", "expected"),
    [
        (OVERLAY, b"95 93 0:39 / /run/c/rootfs ro,relatime - overlay overlay rw,lowerdir=/l", True),
        (HOST, b"95 25 8:1 /srv/rootfs /srv/rootfs ro,relatime - ext4 /dev/sda1 rw", True),
        (LAYER, b"95 94 8:1 /layers/1 /run/c/rootfs ro,relatime - ext4 /dev/sda1 rw", False),
        (FULL, b"95 94 8:1 /layers/1 /run/c/rootfs ro,relatime - ext4 /dev/sda1 rw", False),
        (HOST, b"95 25 7:0 / /run/c/rootfs ro,relatime - squashfs /dev/loop0 ro", False),
        (HOST, b"95 60 0:39 / /run/c/rootfs ro,relatime - overlay overlay rw", False),
        (OVERLAY, LAYER, False),
    ],
    ids=["overlay", "folder of the host", "layer", "options in another order", "not bound", "no parent", "not mounted"],
)
def test_a_root_may_be_written_where_the_mount_that_it_was_bound_from_may(
    outside: bytes, root: bytes, expected: bool
) -> None:
    assert writable.was_writable(b"\n".join([HOST, outside, root, b""]), b"95") is expected


def test_a_root_that_no_runtime_bound_is_not_copied(root: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writable, "was_writable", lambda *_: False)
    monkeypatch.delattr(mounts, "copy")
    assert_is_the_root(writable.open_root(root_fd), root)


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOSYS, errno.EINVAL])
@pytest.mark.parametrize("call", ["copy", "allow_writing"])
def test_what_the_kernel_refuses_leaves_the_root_as_it_is(
    root: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    def refuse(_: int) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(writable, "was_writable", lambda *_: True)
    monkeypatch.setattr(mounts, "copy", os.dup)
    monkeypatch.setattr(mounts, call, refuse)
    assert_is_the_root(writable.open_root(root_fd), root)


def test_the_mount_that_is_asked_about_is_the_one_that_the_root_is_on(
    root_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(writable, "was_writable", lambda table, mount_id: asked.append((table, mount_id)))
    os.close(writable.open_root(root_fd))
    [(table, mount_id)] = asked
    [row] = [line.split() for line in table.splitlines() if line.split()[0] == mount_id]
    device = os.fstat(root_fd).st_dev
    assert row[2].decode() == f"{os.major(device)}:{os.minor(device)}"


def assert_is_the_root(fd: int, root: Path) -> None:
    assert os.path.samestat(os.fstat(fd), root.stat())
    os.close(fd)
