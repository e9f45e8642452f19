"""The kernel's mount calls, on descriptors: a place that was looked at is the place that is used, whatever its name.

Each raises OSError where the kernel refuses. The first call loads ctypes, which costs 2 ms; most starts make none.
"""

import errno
import posix as os
from _struct import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# linux/mount.h
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND = 1, 2, 4, 8, 32, 4096
_REC, PRIVATE = 0x4000, 1 << 18
DETACH = 2
NEW_MOUNTS = 0x00020000
"""CLONE_NEWNS, of linux/sched.h."""
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_MOUNT_ATTR_RDONLY = 1
_FROM_EMPTY, _TO_EMPTY = 0x04, 0x40
_PLAIN_FLAGS = RDONLY | NOSUID | NODEV | NOEXEC
"""What has the same number as a flag of mount(2) and as an attribute of mount_setattr(2)."""

# linux/fcntl.h
_AT_EMPTY_PATH, _AT_RECURSIVE = 0x1000, 0x8000

# glibc has wrappers of these since 2.36 only; the numbers are the same on all machines that we know.
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442


def mount(source: "str | None", target: int, kind: "str | None", flags: int, options: str = "") -> None:
    """Mount something over the place that ``target`` is a descriptor of."""
    place = f"/proc/self/fd/{target}".encode()
    names = [None if text is None else text.encode() for text in (source, kind)]
    call("mount", names[0], place, names[1], flags, options.encode() or None)


def unmount(target: int) -> None:
    """Take the mount at ``target`` away, at once from view and for good with its last user."""
    call("umount2", f"/proc/self/fd/{target}".encode(), DETACH)


def copy(place: int) -> int:
    """A descriptor of a copy of the mount at ``place`` and of all below it, attached nowhere, see open_tree(2)."""
    flags = _AT_EMPTY_PATH | _AT_RECURSIVE | _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC
    return call("syscall", _OPEN_TREE, place, b"", flags)


def allow_writing(place: int) -> None:
    """Lift the read-only flag of the mount at ``place``, and of none below it, see mount_setattr(2); Linux 5.12."""
    attributes = pack("=4Q", 0, _MOUNT_ATTR_RDONLY, 0, 0)  # struct mount_attr: set, clear, propagation, userns_fd
    call("syscall", _MOUNT_SETATTR, place, b"", _AT_EMPTY_PATH, attributes, len(attributes))


def open_tree(path: str, recursive: bool, flags: int) -> int:
    """A descriptor of a mount of its own of what is at ``path``, attached nowhere and private, with these mount flags.

    Linux 5.12; OSError with ENOSYS before.
    """
    rest = _AT_RECURSIVE if recursive else 0
    fd = call("syscall", _OPEN_TREE, -100, path.encode(), _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | rest)
    # struct mount_attr: set, clear, propagation, userns_fd
    attributes = pack("=4Q", flags & _PLAIN_FLAGS, 0, PRIVATE, 0)
    try:
        call("syscall", _MOUNT_SETATTR, fd, b"", _AT_EMPTY_PATH | rest, attributes, len(attributes))
    except OSError:
        os.close(fd)
        raise
    return fd


def make_private(place: int) -> None:
    """Let nothing that is mounted on the mount at ``place`` appear anywhere else; Linux 5.12, before it by a path."""
    attributes = pack("=4Q", 0, 0, PRIVATE, 0)
    try:
        call("syscall", _MOUNT_SETATTR, place, b"", _AT_EMPTY_PATH, attributes, len(attributes))
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        mount(None, place, None, PRIVATE)


def attach(tree: int, target: int) -> None:
    """Mount what ``open_tree`` gave over the place that ``target`` is a descriptor of."""
    call("syscall", _MOVE_MOUNT, tree, b"", target, b"", _FROM_EMPTY | _TO_EMPTY)


def bind(source: str, target: int, above: "tuple[int, str]", recursive: bool, flags: int) -> None:
    """What ``open_tree`` and ``attach`` do, in the way of kernels before 5.12: from a path of this mount namespace.

    ``above`` is the folder and the name of the target, through which the new mount is reached: the kernel takes its
    flags in a second step only. Raises OSError with ELOOP where something else stands there by then.
    """
    rest = _REC if recursive else 0
    mount(source, target, None, BIND | rest)
    folder, name = above
    top = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        found, wanted = os.fstat(top), os.stat(source)
        if (found.st_dev, found.st_ino) != (wanted.st_dev, wanted.st_ino):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        mount(None, top, None, REMOUNT | BIND | flags & _PLAIN_FLAGS)
        mount(None, top, None, PRIVATE | rest)
    finally:
        os.close(top)


def enter(namespace: int) -> None:
    """Go on in the mount namespace that this is a descriptor of; root and working folder are its own then."""
    call("setns", namespace, NEW_MOUNTS)


_libc: "Any" = None


def call(name: str, *arguments: "bytes | int | None") -> int:
    """A function of libc that answers -1 where the kernel refuses."""
    global _libc  # noqa: PLW0603  # loaded once: a start may make a hundred calls
    import ctypes

    if _libc is None:
        _libc = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in arguments]
    result: int = _libc[name](*values)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
