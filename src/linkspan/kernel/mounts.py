"""The kernel's mount calls, on descriptors: a place that was looked at is the place that is used, whatever its name.

Each raises OSError where the kernel refuses. The first call loads ctypes, which costs 2 ms; most starts make none.
"""

import posix as os
from _struct import pack

# linux/mount.h
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND = 1, 2, 4, 8, 32, 4096
DETACH = 2
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_MOUNT_ATTR_RDONLY = 1

# linux/fcntl.h
_AT_EMPTY_PATH, _AT_RECURSIVE = 0x1000, 0x8000

# glibc has wrappers of these since 2.36 only; the numbers are the same on all machines that we know.
_OPEN_TREE, _MOUNT_SETATTR = 428, 442


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


def call(name: str, *arguments: "bytes | int | None") -> int:
    """A function of libc that answers -1 where the kernel refuses."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in arguments]
    result: int = libc[name](*values)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
