"""Files, folders and links below a root descriptor; nothing here can lead out of it (``walk`` says how).

What is found is used through its descriptor and not looked up by name again. Files are replaced by rename within one
folder. Devices and FIFOs are never opened: to open some is to act on them, or to wait for ever.

What is found and what is written is noted (``notes``) while somebody wants that.

Paths are those of a process inside the root. Every function raises KernelError where the kernel refuses, and UnsafePath
where a path cannot be walked in bounds.
"""

import _stat as stat
import errno
import posix as os

from linkspan.errors import FormatError, UnsafePath
from linkspan.kernel import notes
from linkspan.kernel.walk import Walk, failed, link_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from linkspan.kernel.walk import Owner

    T = TypeVar("T")

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# A file that another process holds a lease on would keep an open waiting for it.
_NO_WAITING = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


def open_root(path: str) -> int:
    """A descriptor of the folder that is a container's root.

    Raises KernelError where there is none, UnsafePath where it is the root that we run in.
    """
    try:
        fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise failed("open the container's root", path, error) from error
    if _is_our_root(os.fstat(fd)):
        os.close(fd)
        raise UnsafePath(f"the container's root {path} is the root of this host", subject=path)
    return fd


def _is_our_root(status: "os.stat_result") -> bool:
    root = os.stat("/")
    return (status.st_dev, status.st_ino) == (root.st_dev, root.st_ino)


def open_folder(root_fd: int, path: str) -> "int | None":
    """A descriptor (``O_PATH``) of the folder at ``path``; None where there is none."""
    walk = Walk(root_fd)
    fd = _finish(walk, walk.folder, path)
    notes.found(path, None if fd is None else os.fstat(fd))
    return fd


def make_folders(root_fd: int, path: str, owner: "Owner" = None, mode: int = 0o755) -> int:
    """A descriptor (``O_PATH``) of the folder at ``path``, which is made where it is missing.

    ``mode`` is its mode then; parents that are missing get 0755.
    """
    notes.step(owner, "folder", path, mode)
    return _make_folders(root_fd, path, owner, mode)


def _make_folders(root_fd: int, path: str, owner: "Owner", mode: int = 0o755) -> int:
    walk = Walk(root_fd, True, owner, mode)
    try:
        return walk.own_folder(path)
    except OSError as error:
        raise failed("make the folder", path, error) from error
    finally:
        walk.close()


def resolve(root_fd: int, path: str) -> "str | None":
    """The path of the folder at ``path`` with all links resolved; None where there is none."""
    walk = Walk(root_fd)
    fd = _finish(walk, walk.folder, path)
    if fd is None:
        notes.found(path, None)
        return None
    os.close(fd)
    found = "/" + "/".join(walk.names)
    notes.resolved(path, found)
    return found


def open_parent(root_fd: int, path: str) -> "tuple[int, str] | None":
    """A descriptor (``O_PATH``) of the folder that ``path`` stands in, and the last name; None where that is absent."""
    folder, name = split(path)
    fd = open_folder(root_fd, folder)
    return None if fd is None else (fd, name)


def place(root_fd: int, path: str, owner: "Owner" = None) -> "tuple[int, str, int]":
    """Folder (``O_PATH``), last name and present holder (``O_PATH``, or -1) of a place for a mount or a node.

    Links are followed, and folders that are missing are made, as the low-level runtime makes its mount points.
    """
    walk = Walk(root_fd, True, owner)
    try:
        return walk.place(path)
    except OSError as error:
        raise failed("reach", path, error) from error
    finally:
        walk.close()


def split(path: str) -> "tuple[str, str]":
    """Folder and name of a path; UnsafePath where it does not end in a name."""
    folder, _, name = path.rstrip("/").rpartition("/")
    if name in ("", ".", "..") or "\0" in path:
        raise UnsafePath(f"the path {path!r} does not end in a name", subject=path)
    return folder, name


def look(root_fd: int, path: str) -> "os.stat_result | None":
    """What stands at ``path``, links followed; None where nothing does.

    Of what is there only the type is noted; ``changed`` and ``is_newer`` tell times.
    """
    status = _look(root_fd, path)
    notes.found(path, status)
    return status


def changed(root_fd: int, path: str) -> "int | None":
    """When what stands at ``path`` was changed, in nanoseconds; None where nothing does."""
    status = _look(root_fd, path)
    notes.found(path, status, status.st_mtime_ns if status else -1)
    return status.st_mtime_ns if status else None


def is_newer(root_fd: int, path: str, than_ns: int) -> bool:
    """Whether something stands at ``path`` and was changed after a time in nanoseconds."""
    status = _look(root_fd, path)
    newer = status is not None and status.st_mtime_ns > than_ns
    notes.newer(path, than_ns, newer)
    return newer


def _look(root_fd: int, path: str) -> "os.stat_result | None":
    found = _find(root_fd, path)
    if found is None:
        return None
    os.close(found[0])
    return found[1]


def open_beneath(root_fd: int, path: str, flags: int = os.O_RDONLY) -> "int | None":
    """What stands at ``path``, links followed, opened with ``flags``; None where nothing does.

    With ``O_PATH`` anything may stand there; otherwise FormatError on what is not a regular file. Whoever reads from it
    notes what.
    """
    found = _find(root_fd, path)
    if found is None:
        notes.found(path, None)
        return None
    fd, status = found
    if flags & os.O_PATH:
        return fd
    try:
        if not stat.S_ISREG(status.st_mode):
            raise FormatError(f"{path} is not a regular file", subject=path)
        return os.open(f"/proc/self/fd/{fd}", flags | _NO_WAITING)
    except OSError as error:
        raise failed("open", path, error) from error
    finally:
        os.close(fd)


def read_file(root_fd: int, path: str, limit: int) -> "bytes | None":
    """The whole regular file at ``path``, links followed; None where nothing is there.

    Raises FormatError where it is not a regular file or holds more than ``limit`` bytes.
    """
    fd = open_beneath(root_fd, path)
    if fd is None:
        return None
    try:
        size = os.fstat(fd).st_size
        data = os.read(fd, min(size, limit) + 1)
        while size < len(data) <= limit and (more := os.read(fd, limit + 1 - len(data))):
            data += more  # it has grown, or is a file of the kernel's, which have no size
    except OSError as error:
        raise failed("read", path, error) from error
    finally:
        os.close(fd)
    if len(data) > limit:
        raise FormatError(f"{path} is larger than {limit} bytes", subject=path)
    notes.read(path, size, [(0, data)])
    if size != len(data):
        notes.spoil()
    return data


def content(root_fd: int, path: str, limit: int) -> "bytes | None":
    """``read_file`` for a file that we may replace: None too where what stands there is of no use."""
    try:
        return read_file(root_fd, path, limit)
    except (FormatError, UnsafePath):
        notes.spoil()
        return None


def list_folder(root_fd: int, path: str, limit: int) -> "list[str] | None":
    """The names in the folder at ``path``, sorted; None where it is absent, FormatError where there are too many."""
    folder = open_folder(root_fd, path)
    if folder is None:
        return None
    try:
        fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
        try:
            with os.scandir(fd) as entries:
                names = [entry.name for entry, _ in zip(entries, range(limit + 1), strict=False)]
        finally:
            os.close(fd)
    except OSError as error:
        raise failed("list", path, error) from error
    finally:
        os.close(folder)
    if len(names) > limit:
        raise FormatError(f"{path} holds more than {limit} names", subject=path)
    notes.names(path, names)
    return sorted(names)


def write_file(root_fd: int, path: str, data: bytes, mode: int = 0o644, owner: "Owner" = None) -> None:
    """Put a file with this content at ``path``, replacing what is there unless it is a folder; parents are made."""
    parent, name = split(path)
    notes.step(owner, "file", path, mode, data)
    folder = _make_folders(root_fd, parent, owner)
    temporary = _temporary(name)
    try:
        _fill(os.open(temporary, _NEW_FILE, mode, dir_fd=folder), data, mode, owner)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        _forget(folder, temporary)
        raise failed("write", path, error) from error
    finally:
        os.close(folder)


def replace_link(root_fd: int, target: str, path: str, owner: "Owner" = None) -> None:
    """Put a symlink with the text ``target`` at ``path``, replacing what is there unless it is a folder."""
    folder = _make_folders(root_fd, split(path)[0], owner)
    try:
        replace_link_in(folder, target, path, owner)
    finally:
        os.close(folder)


def replace_link_in(folder: int, target: str, path: str, owner: "Owner" = None) -> None:
    """``replace_link`` where the folder of ``path`` is open already."""
    notes.step(owner, "link", target, path)
    try:
        _replace_link(folder, target, split(path)[1], owner)
    except OSError as error:
        raise failed("make the link", path, error) from error


def _replace_link(folder: int, target: str, name: str, owner: "Owner") -> None:
    try:
        _link(folder, target, name, owner)
    except FileExistsError:
        if link_text(folder, name) != target:
            temporary = _temporary(name)
            try:
                _link(folder, target, temporary, owner)
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                _forget(folder, temporary)
                raise


def remove(root_fd: int, path: str) -> None:
    """Take away the file or link at ``path``, which may be absent."""
    notes.step(None, "remove", path)
    parent = open_parent(root_fd, path)
    if parent is None:
        return
    folder, name = parent
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise failed("remove", path, error) from error
    finally:
        os.close(folder)


def _find(root_fd: int, path: str) -> "tuple[int, os.stat_result] | None":
    walk = Walk(root_fd)
    return _finish(walk, walk.end, path)


def _finish(walk: Walk, step: "Callable[[str], T]", path: str) -> "T | None":
    try:
        return step(path)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise failed("open", path, error) from error
    finally:
        walk.close()


def _temporary(name: str) -> str:
    # Nobody can have put that name there before us; O_EXCL and symlinkat refuse it if they have.
    return f".{name[:40]}.{os.urandom(8).hex()}"


def _fill(fd: int, data: bytes, mode: int, owner: "Owner") -> None:
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.fchmod(fd, mode)  # whatever the umask
        if owner is not None:
            os.fchown(fd, *owner)
    finally:
        os.close(fd)


def _link(folder: int, target: str, name: str, owner: "Owner") -> None:
    os.symlink(target, name, dir_fd=folder)
    if owner is not None:
        os.chown(name, *owner, dir_fd=folder, follow_symlinks=False)


def _forget(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        return  # never made
