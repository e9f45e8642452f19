"""Decides whether the image's CUDA compatibility libraries are used instead of the host's (contract 6.4).

An image can bring a newer ``libcuda.so`` than the host's driver, for drivers that NVIDIA tested it with. Which ones
these are it says in a note in that file; older files say nothing.
"""

import _stat as stat
import posix as os

from linkspan.errors import FormatError, UnsafePath
from linkspan.formats import fastjson, versions
from linkspan.kernel import notes, paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEFAULT_ROOT = "/usr/local/cuda/compat"
MAX_NAMES = 1_000
_PREFIX = "libcuda.so."


def usable_folder(root_fd: int, driver: str, cuda: str, root: str) -> str:
    """The folder of the compatibility libraries, all links resolved; empty where the host's libraries are to be used.

    ``driver`` and ``cuda`` are the host's versions, of which one may be empty; ``root`` is the folder to look in, empty
    for CUDA's usual place.
    """
    if not (driver or cuda):
        return ""
    try:
        folder = paths.resolve(root_fd, root or DEFAULT_ROOT)
        library = _library(root_fd, folder) if folder else ""
    except (FormatError, UnsafePath):
        notes.spoil()
        return ""
    if not folder or not library:
        return ""
    version = versions.parse(library.removeprefix(_PREFIX))
    return folder if is_newer(version, _note(root_fd, f"{folder}/{library}"), driver, cuda) else ""


def is_newer(compat: "tuple[int, ...] | None", note: "dict[str, Any] | None", driver: str, cuda: str) -> bool:
    """Whether compatibility libraries of version ``compat`` (None: unknown) beat the host's driver and CUDA.

    ``note`` is what their file says, None where it says nothing.
    """
    host = versions.parse(driver)
    if note is None:
        return not cuda and compat is not None and host is not None and compat[0] > host[0]
    if compat is not None and host is not None:
        return host[0] in _list(note.get("Driver")) and versions.compare(compat, host) > 0
    built_for, has = versions.parse(str(note.get("CUDA Version"))), versions.parse(cuda)
    return built_for is not None and has is not None and versions.compare(built_for, has) > 0


def _library(root_fd: int, folder: str) -> str:
    """The name of the one file ``libcuda.so.MAJOR.MINOR…``; empty where there is none, or several to choose from."""
    fd = paths.open_folder(root_fd, folder)
    if fd is None:
        return ""
    try:
        names = paths.list_folder(root_fd, folder, MAX_NAMES) or []
        candidates = [name for name in names if name.startswith(_PREFIX) and "." in name[len(_PREFIX) :]]
        files = [name for name in candidates if _is_file(fd, folder, name)]
    finally:
        os.close(fd)
    return files[0] if len(files) == 1 else ""


def _is_file(fd: int, folder: str, name: str) -> bool:
    try:
        status = os.stat(name, dir_fd=fd, follow_symlinks=False)
    except OSError:
        notes.entry(folder, name, None)
        return False
    notes.entry(folder, name, status)
    return stat.S_ISREG(status.st_mode)


def _note(root_fd: int, path: str) -> "dict[str, Any] | None":
    try:
        fd = paths.open_beneath(root_fd, path)
        if fd is None:
            return None
        try:
            text = _read_note(fd, path)
        finally:
            os.close(fd)
        note = fastjson.loads(text.decode()) if text else None
    except (FormatError, UnsafePath, OSError, UnicodeDecodeError):
        notes.spoil()
        return None
    return note if isinstance(note, dict) else None


def _read_note(fd: int, path: str) -> "bytes | None":
    from linkspan.formats import elf  # most images have no such library

    parts: list[tuple[int, bytes]] = []

    def pread(at: int, length: int) -> bytes:
        parts.append((at, os.pread(fd, length, at)))
        return parts[-1][1]

    size = os.fstat(fd).st_size
    text = elf.compat_note(pread, size)
    notes.read(path, size, parts)
    return text


def _list(value: "Any") -> "list[Any]":
    return value if isinstance(value, list) else []
