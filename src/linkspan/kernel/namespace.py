"""A mount namespace of our own: what is mounted there is gone when this process is, however it ends."""

import contextlib
import errno
import os
from collections.abc import Iterator

from linkspan.errors import KernelError
from linkspan.formats import procfs
from linkspan.kernel import mounts

CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 0x40000

_PLACES = ("/mnt", "/media", "/srv")
"""Folders of every system that a process in a namespace of its own may mount over."""


def leave_mounts() -> None:
    """Move this process into a mount namespace of its own, from which nothing spreads to the machine's."""
    with _refusals("unshare", "a mount namespace"):
        mounts.call("unshare", CLONE_NEWNS)
    with _refusals("mount", "/"):
        try:
            _make_private("/")
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            _stand_on_a_mount()
            _make_private("/")


def mount_tmpfs(path: str) -> None:
    """Mount an empty file system in memory, where programs and device nodes work whatever holds for the folder."""
    with _refusals("mount", path):
        _mount("tmpfs", path, "tmpfs", mounts.NOSUID, "mode=0755")


def unmount(path: str) -> None:
    """Take a mount away, also while something below it is still in use."""
    with _refusals("unmount", path):
        mounts.call("umount2", os.fsencode(path), mounts.DETACH)


def _stand_on_a_mount() -> None:
    """Make the root of this process a mount point, which it is not in a plain chroot.

    Without that no runtime can start a container: pivot_root(2) refuses a root that is not one. The same tree is
    mounted a second time, in this namespace alone, and becomes the root. Where the mount would be seen by the machine
    too (the chroot's folder lies on a shared mount, which cannot be changed from inside), nothing is done.
    """
    here = os.getcwd()
    place = next(folder for folder in _PLACES if os.path.isdir(folder))
    seen_before = _seen_by_init(place)
    _mount("/", place, None, mounts.BIND | MS_REC)
    if _seen_by_init(place) > seen_before:
        mounts.call("umount2", os.fsencode(place), mounts.DETACH)
        raise KernelError(
            "the root folder of this chroot is not a mount point, so no container can start in it",
            hint="before entering the chroot, mount its folder on itself: mount --bind DIR DIR",
        )
    os.chroot(place)
    os.chdir(here)


def _seen_by_init(place: str) -> int:
    """How many mounts the machine has at this place, below whatever folder the chroot is."""
    with open("/proc/1/mountinfo", encoding="utf-8") as file:
        return sum(mount.path.endswith(place) for mount in procfs.mountinfo(file.read()))


def _make_private(path: str) -> None:
    _mount(None, path, None, MS_REC | MS_PRIVATE)


def _mount(source: str | None, path: str, kind: str | None, flags: int, options: str = "") -> None:
    target = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        mounts.mount(source, target, kind, flags, options)
    finally:
        os.close(target)


@contextlib.contextmanager
def _refusals(verb: str, subject: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KernelError(f"cannot {verb} {subject}: {error.strerror}", subject=subject) from None
