"""Cheap witnesses that a saved fact is still true: taken when it is saved, compared at every container start.

A stamp is ``(kind, path, value)``, as in ``facts.model.Stamp``: a ``file`` by inode, size and modification time, a
``node`` by its device number, a small ``text`` by its content, and ``absent`` for what would change the answer if it
came.
"""

import posix as os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT_LIMIT = 65536
"""Bytes of a text that are compared; the /proc files in question have less than one page."""


def take(kind: str, path: str) -> str:
    """The present value for a stamp of this kind: empty where the path is not there, or is of another kind."""
    try:
        return _READERS[kind](path)
    except OSError:
        return ""


def stale(stamps: "Iterable[tuple[str, str, str]]") -> "tuple[str, str, str] | None":
    """The first stamp that is no longer true, or None."""
    for stamp in stamps:
        kind, path, value = stamp
        if take(kind, path) != value:
            return stamp
    return None


def exists(path: str) -> bool:
    """True where anything stands at ``path``, links followed."""
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def _file(path: str) -> str:
    found = os.stat(path)
    return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"


def _node(path: str) -> str:
    device = os.lstat(path).st_rdev
    return f"{os.major(device)}:{os.minor(device)}"


def _text(path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return os.read(descriptor, TEXT_LIMIT).decode("utf-8", "replace").strip()
    finally:
        os.close(descriptor)


def _absent(path: str) -> str:
    os.lstat(path)
    return "present"


_READERS = {"file": _file, "node": _node, "text": _text, "absent": _absent}
