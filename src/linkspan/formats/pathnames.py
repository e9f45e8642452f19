"""Path names as text. ``posixpath`` has these too, but brings ``os`` and its abstract classes: 1 ms of a start's 12."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def normal(path: str) -> str:
    """An absolute path without empty, ``.`` and ``..`` parts; ``..`` stops at the root. Symlinks are not known here."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def folder(path: str) -> str:
    """The folder part: ``/a`` of ``/a/b``, ``/`` of ``/a``, nothing of ``a``."""
    before, slash, _ = path.rpartition("/")
    return before.rstrip("/") or slash


def name(path: str) -> str:
    """The last part: ``b`` of ``/a/b``, nothing of ``/a/``."""
    return path.rpartition("/")[2]


def join(base: str, path: str) -> str:
    """``path`` as seen from the folder ``base``: itself where it is absolute."""
    return path if path.startswith("/") else f"{base}/{path}"


def covers(cover: str, paths: "Iterable[str]") -> bool:
    """Whether something mounted at ``cover`` hides one of these absolute paths."""
    top = normal(cover)
    return any(path == top or path.startswith(top.rstrip("/") + "/") for path in paths)
