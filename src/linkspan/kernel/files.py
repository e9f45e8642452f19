"""Files of the host, written whole or not at all."""

import posix as os

from linkspan.errors import KernelError
from linkspan.formats import pathnames

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_whole(
    path: str, data: bytes, mode: "int | None" = 0o644, durable: bool = True, beside: "str | None" = None
) -> None:
    """Replace the file at ``path`` in one step: whoever reads it sees the old content or the new, also after a crash.

    ``mode`` None keeps mode and owner of the file that is there (0644 where there is none). Without ``durable`` the
    step is whole for readers only, and waits for no disk: for what a crash makes worthless anyhow. The unfinished
    file stands ``beside``, in another folder of that file system, where somebody reads every file of the path's own.
    Raises KernelError, and leaves nothing behind then.
    """
    folder, name = pathnames.folder(path) or ".", pathnames.name(path)
    temporary = f"{beside or folder}/.{name[:40]}.{os.urandom(8).hex()}"
    try:
        _fill(os.open(temporary, _NEW_FILE, 0o600), path, data, mode, durable)
        os.rename(temporary, path)
        if durable:
            _sync_folder(folder)
    except OSError as error:
        _forget(temporary)
        raise KernelError(f"cannot write {path}: {error.strerror}", subject=path) from error


def make_room(folder: str, limit: int) -> None:
    """Drop the older half of the files in a folder once there are so many. OSError where that is not possible."""
    names = os.listdir(folder)
    if len(names) >= limit:
        oldest = sorted(names, key=lambda name: os.stat(f"{folder}/{name}").st_mtime_ns)
        for name in oldest[: limit // 2]:
            os.unlink(f"{folder}/{name}")


def make_folder(path: str, mode: int) -> None:
    """Make a folder where there is none yet. OSError where that is not possible."""
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        return
    os.chmod(path, mode)  # whatever the umask


def _fill(fd: int, path: str, data: bytes, mode: "int | None", durable: bool) -> None:
    try:
        if mode is None:
            mode = _take_over(fd, path)
        os.fchmod(fd, mode)  # whatever the umask
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        if durable:
            os.fsync(fd)
    finally:
        os.close(fd)


def _take_over(fd: int, path: str) -> int:
    """Give the new file the owner of the old one, and return the old one's mode."""
    try:
        old = os.stat(path)
    except FileNotFoundError:
        return 0o644
    new = os.fstat(fd)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(fd, old.st_uid, old.st_gid)
    return old.st_mode & 0o7777


def _sync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # never made, or already in place
