"""The container's root by where a hook was started.

runc starts createContainer hooks in it, once it has made its mounts (libcontainer, prepareRootfs). Where the bundle
cannot be read, as by the root of a user namespace, there is no other way to find it. The folder is taken for the
container's root only where a runtime has mounted it, and a /proc in it, which no image can do; and never where it is
the host's.
"""

import posix as os

from linkspan.kernel import paths


def open_root() -> "int | None":
    """A descriptor of the working folder, if it is a container's root; else None."""
    rows = [line.split(b" ") for line in _read("/proc/self/mountinfo").splitlines()]
    # Fields, by proc(5): 0 id, 4 mount point; behind the hyphen the type.
    mounts = {row[0]: (row[4], row[row.index(b"-") + 1]) for row in rows if b"-" in row}
    fd = paths.open_root(".")
    place, _ = mounts.get(_mount_id(fd), (b"", b""))
    if place == os.readlink("/proc/self/cwd").encode("utf-8", "surrogateescape") and _has_proc(fd, place, mounts):
        return fd
    os.close(fd)
    return None


def _has_proc(root_fd: int, place: bytes, mounts: "dict[bytes, tuple[bytes, bytes]]") -> bool:
    try:
        fd = os.open("proc", os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root_fd)
    except OSError:
        return False
    try:
        return mounts.get(_mount_id(fd)) == (place + b"/proc", b"proc")
    finally:
        os.close(fd)


def _mount_id(fd: int) -> bytes:
    return _read(f"/proc/self/fdinfo/{fd}").partition(b"mnt_id:")[2].split()[0]


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()
