"""A container that has been created and does not run yet: its process, its root, and the way into its mounts.

What is asked of the process is asked through one descriptor of its folder in /proc, so that it is one process all
along, whatever becomes of its number.
"""

import posix as os

from linkspan.errors import KernelError
from linkspan.kernel import mounts, paths

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def open_process(pid: int) -> int:
    """A descriptor of a process's folder in /proc. Raises KernelError where there is no such process."""
    try:
        return os.open(f"/proc/{pid}", _FOLDER)
    except OSError as error:
        raise KernelError(f"the container's process {pid} is not there: {error.strerror}", subject=str(pid)) from None


def owner_of(process: int) -> "tuple[int, int]":
    """The ids of a process that is root in its own user namespace, whoever made that."""
    status = os.fstat(process)
    return status.st_uid, status.st_gid


def root_owner_of(process: int) -> "tuple[int, int]":
    """Our ids of the root of a process's user namespace; where that is ours, our own."""
    if shares(process, "user"):
        return os.geteuid(), os.getegid()
    uid, gid = (_mapped_root(process, name) for name in ("uid_map", "gid_map"))
    return owner_of(process) if uid is None or gid is None else (uid, gid)


def _mapped_root(process: int, name: str) -> "int | None":
    """See user_namespaces(7): lines of the first id within, the first outside, and how many."""
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
    try:
        rows = [line.split() for line in os.read(fd, 65536).splitlines()]
    finally:
        os.close(fd)
    return next((int(outside) for inside, outside, _ in rows if inside == b"0"), None)


def open_root(process: int, root: str) -> int:
    """A descriptor of the container's root, in the container's mounts.

    Runtimes call prestart hooks before they change the root, so it is at the same path there as here, below the same
    root. Both have to be the very folders that they are for us: a process whose root is another one already is none
    that waits for its prestart hooks. Raises KernelError.
    """
    top = os.open("root", _FOLDER, dir_fd=process)
    try:
        if _identity(os.fstat(top)) != _identity(os.stat("/")):
            raise KernelError("the container's process has another root already", hint="this hook is one for prestart")
        fd = paths.open_folder(top, root)
    finally:
        os.close(top)
    if fd is None or _identity(os.fstat(fd)) != _identity(_stat(root)):
        raise KernelError(f"the container's root {root} is another one in its own mounts", subject=root)
    return _not_our_own(fd, root)


def open_root_of_caller(process: int, root: str) -> int:
    """A descriptor of a container's root, by a path of the process that is about to become that container's.

    Raises KernelError.
    """
    top = os.open("root", _FOLDER, dir_fd=process)
    try:
        fd = paths.open_folder(top, root)
        if fd is None:
            raise KernelError(f"cannot find the container's root {root}: no such folder", subject=root)
        if _identity(os.fstat(fd)) == _identity(os.fstat(top)):
            raise KernelError(f"the container's root {root} is that of the calling process", subject=root)
    finally:
        os.close(top)
    return _not_our_own(fd, root)


def _not_our_own(fd: int, root: str) -> int:
    if _identity(os.fstat(fd)) == _identity(os.stat("/")):
        raise KernelError(f"the container's root {root} is the root of this host", subject=root)
    return fd


def _stat(path: str) -> "os.stat_result":
    try:
        return os.stat(path)
    except OSError as error:
        raise KernelError(f"cannot find the container's root {path}: {error.strerror}", subject=path) from None


def _identity(status: "os.stat_result") -> "tuple[int, int]":
    return status.st_dev, status.st_ino


def shares(process: int, kind: str) -> bool:
    """Whether a process is in our own namespace of a kind (``mnt``, ``user``). Raises KernelError where it is gone."""
    try:
        return _identity(os.stat(f"ns/{kind}", dir_fd=process)) == _identity(os.stat(f"/proc/self/ns/{kind}"))
    except OSError as error:
        raise KernelError(f"cannot look at the container's namespaces: {error.strerror}") from None


class Inside:
    """Within: the container's mount namespace, at the root of its process; behind it, our own again."""

    __slots__ = ("_home", "_process", "_top")

    def __init__(self, process: int) -> None:
        self._process = process
        self._home = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        self._top = os.open("/", _FOLDER)

    def __enter__(self) -> None:
        try:
            theirs = os.open("ns/mnt", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._process)
            root = os.open("root", _FOLDER, dir_fd=self._process)
            if _identity(os.fstat(theirs)) == _identity(os.fstat(self._home)):
                raise KernelError("the container has no mounts of its own", hint="give it a mount namespace")
            _stand(theirs, root)
            os.close(theirs)
            os.close(root)
        except OSError as error:
            raise KernelError(f"cannot enter the container's mounts: {error.strerror}") from None

    def __exit__(self, *_: object) -> None:
        _stand(self._home, self._top)


def _stand(namespace: int, root: int) -> None:
    """Go into a mount namespace, which puts us at its own root, and from there to the root that is wanted."""
    mounts.enter(namespace)
    os.fchdir(root)
    os.chroot(".")
