"""The container's root by where a hook was started.

runc starts createContainer hooks in it, once it has made its mounts (libcontainer, prepareRootfs). Where the bundle
cannot be read, as by the root of a user namespace, there is no other way to find it. The folder is taken for the
container's root only where a runtime has mounted it, and a /proc in it, which no image can do; and never where it is
the host's.
"""

import posix as os

from linkspan.kernel import mountid, paths


def open_root() -> "int | None":
    """A descriptor of the working folder, if it is a container's root; else None."""
    rows = mountid.rows()
    fd = paths.open_root(".")
    row = rows.get(mountid.of(fd))
    here = os.readlink("/proc/self/cwd").encode("utf-8", "surrogateescape")
    if row and mountid.place(row) == here and _has_proc(fd, here, rows):
        return fd
    os.close(fd)
    return None


def _has_proc(root_fd: int, place: bytes, rows: "dict[bytes, list[bytes]]") -> bool:
    try:
        fd = os.open("proc", os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root_fd)
    except OSError:
        return False
    try:
        row = rows.get(mountid.of(fd))
        return row is not None and (mountid.place(row), mountid.kind(row)) == (place + b"/proc", b"proc")
    finally:
        os.close(fd)
