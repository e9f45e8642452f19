"""A mount namespace of our own: what is mounted there is gone when this process is, however it ends."""

import ctypes
import os

from linkspan.errors import KernelError

CLONE_NEWNS = 0x00020000
MS_NOSUID, MS_REC, MS_PRIVATE = 0x2, 0x4000, 0x40000
MNT_DETACH = 2


def leave_mounts() -> None:
    """Move this process into a mount namespace of its own, from which nothing spreads to the machine's."""
    _call("unshare", CLONE_NEWNS, subject="a mount namespace")
    _call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None, subject="/")


def mount_tmpfs(path: str) -> None:
    """Mount an empty file system in memory, where programs and device nodes work whatever holds for the folder."""
    _call("mount", b"tmpfs", os.fsencode(path), b"tmpfs", MS_NOSUID, b"mode=0755", subject=path)


def unmount(path: str) -> None:
    """Take a mount away, also while something below it is still in use."""
    _call("umount2", os.fsencode(path), MNT_DETACH, subject=path)


def _call(name: str, *arguments: bytes | int | None, subject: str) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        cause = os.strerror(ctypes.get_errno())
        raise KernelError(f"cannot {name} {subject}: {cause}", subject=subject)
