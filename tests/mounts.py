"""Mounts for tests, made in a mount namespace of the test process: when it ends, however it ends, they are gone."""

import contextlib
import ctypes
import os
from collections.abc import Iterator

from linkspan.errors import KernelError
from linkspan.kernel import namespace
from tests.debian import UnavailableError
from tests.folders import open_folder

MS_BIND = 0x1000
MS_RDONLY_BIND = 0x1 | 0x20 | MS_BIND  # MS_RDONLY, MS_REMOUNT
MS_SHARED = 1 << 20
MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)
_private_for: set[int] = set()


def enter_private_mounts() -> None:
    """Move this process into a mount namespace of its own, once; UnavailableError without the right to."""
    if os.getpid() in _private_for:
        return
    try:
        namespace.leave_mounts()
    except KernelError as error:
        raise UnavailableError(f"this process may not make a mount namespace: {error}") from None
    _private_for.add(os.getpid())


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    """mount(2); UnavailableError where the kernel refuses."""
    if _libc.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode()):
        cause = os.strerror(ctypes.get_errno())
        raise UnavailableError(f"this machine does not let us mount {kind or 'a bind'} on {target}: {cause}")


def unmount(target: str) -> None:
    """Take a mount away, at once from view and from the kernel when its last user ends."""
    _libc.umount2(target.encode(), MNT_DETACH)


@contextlib.contextmanager
def overlay(lower: str, folder: str | None = None) -> Iterator[str]:
    """A writable copy of a tree, at no cost: what is written goes to a temporary folder (made below ``folder``)."""
    enter_private_mounts()
    with open_folder("overlay", folder) as work:
        for name in ("upper", "work", "merged"):
            os.mkdir(f"{work}/{name}")
        mount("overlay", f"{work}/merged", "overlay", 0, f"lowerdir={lower},upperdir={work}/upper,workdir={work}/work")
        try:
            yield f"{work}/merged"
        finally:
            unmount(f"{work}/merged")


@contextlib.contextmanager
def tmpfs(folder: str, size_kb: int) -> Iterator[str]:
    """A file system that is soon full."""
    enter_private_mounts()
    mount("tmpfs", folder, "tmpfs", 0, f"size={size_kb}k")
    try:
        yield folder
    finally:
        unmount(folder)


@contextlib.contextmanager
def read_only(folder: str) -> Iterator[str]:
    """The folder as a read-only mount, for everybody."""
    enter_private_mounts()
    mount(folder, folder, "", MS_BIND)
    try:
        mount("none", folder, "", MS_RDONLY_BIND)
        yield folder
    finally:
        unmount(folder)


@contextlib.contextmanager
def devices_of(root: str) -> Iterator[None]:
    """The nodes of a host that stands at ``root``, in our own /dev beside those that are there."""
    enter_private_mounts()
    mount("overlay", "/dev", "overlay", 0, f"lowerdir={root}/dev:/dev")
    try:
        yield
    finally:
        unmount("/dev")


@contextlib.contextmanager
def driver_proc_of(root: str) -> Iterator[None]:
    """The folder of a host's driver in our own /proc, where that of a host that stands at ``root`` would be."""
    enter_private_mounts()
    mount(f"{root}/proc/driver", "/proc/driver", "", MS_BIND)
    try:
        yield
    finally:
        unmount("/proc/driver")
