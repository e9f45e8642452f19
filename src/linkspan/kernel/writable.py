"""A way to write into a root filesystem that is read-only for its container.

crun has made the root read-only by the time that createContainer hooks run; runc does it afterwards. What
``--read-only`` forbids is that the container writes, not that its root is prepared. So the hook works on a copy of the
root's mount, which nobody else can see, with the flag lifted. The container's own mount stays as it is.

What is mounted below the root is in the copy too, each with its own flags. So the hook sees what the container is going
to see: where a volume covers a place, it is the volume that is read, and written unless it is a read-only one.

A root that was read-only before the runtime got it stays so: it may be a layer of an image, which other containers
share.
"""

import posix as os

from linkspan.kernel import mountid, mounts


def open_root(root_fd: int) -> int:
    """A new descriptor of the root, which can be written through where a copy of its mount allows that.

    Where it does not, writing fails as it does through ``root_fd``: where the root was mounted read-only before, or its
    file system is; before Linux 5.12; without CAP_SYS_ADMIN over the mount.
    """
    try:
        if _is_writable_outside(root_fd):
            return _writable_copy(root_fd)
    except OSError:
        pass  # whoever writes says that it is read-only, and where that matters
    return os.dup(root_fd)


def _writable_copy(root_fd: int) -> int:
    fd = mounts.copy(root_fd)
    try:
        mounts.allow_writing(fd)
    except OSError:
        os.close(fd)
        raise
    return fd


def _is_writable_outside(root_fd: int) -> bool:
    return was_writable(_read("/proc/self/mountinfo"), mountid.of(root_fd))


def was_writable(mountinfo: bytes, mount_id: bytes) -> bool:
    """Whether a root, the mount ``mount_id``, could be written where the runtime got it from.

    Runtimes bind the root over itself. So the mount that it stands on is the one it came from, as that was.
    """
    rows = {row[0]: row for row in (line.split() for line in mountinfo.splitlines())}
    root = rows.get(mount_id)
    below = rows.get(root[1]) if root else None
    # Fields, by proc(5): 0 id, 1 parent's id, 2 device of the file system, 5 options of the mount.
    return bool(root and below and root[2] == below[2] and b"rw" in below[5].split(b","))


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()
