"""Notes of what is found below a container's root, and of what is then written there.

``kernel.paths`` takes them while somebody wants them. What a root is prepared with follows from what is found in it
alone, so where everything that is noted is found again, the same can be written again without finding out why: that is
what the launcher does (``runtime/native/below.c``), from the notes that ``runtime.keep`` leaves it.
"""

import _stat as stat
import posix as os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from linkspan.formats.record import Field

PART_LIMIT = 1 << 20
"""Bytes of all files together that are noted; a loader cache has some 20 KB, a desktop's 200."""


class Notes:
    """``findings`` and ``steps``, each a list of rows: a kind, then what belongs to it."""

    __slots__ = ("_size", "complete", "findings", "steps")

    def __init__(self) -> None:
        self.findings: list[tuple[Field, ...]] = []
        self.steps: list[tuple[Field, ...]] = []
        self.complete = True
        """False once something was found or done that no note can tell."""
        self._size = 0

    def fields(self) -> "list[Field]":
        """All of it as fields of a record."""
        from linkspan.formats import record

        return [*record.rows(self.findings), *record.rows(self.steps)]

    def add(self, *row: "Field") -> None:
        """Note a finding; the same again is noted once."""
        if row not in self.findings:
            self.findings.append(row)

    def take(self, data: bytes) -> bytes:
        """Bytes for a note, as long as there are not too many."""
        self._size += len(data)
        if self._size > PART_LIMIT:
            self.complete = False
            return b""
        return data


current: "Notes | None" = None
"""Where notes are taken now; a start path prepares one root, once."""


def begin() -> Notes:
    """Take notes from here on."""
    global current  # noqa: PLW0603  # passing it through every path function would be the alternative
    current = Notes()
    return current


def end() -> None:
    """Take no more notes."""
    global current  # noqa: PLW0603
    current = None


def spoil() -> None:
    """Something is looked at, or done, in a way that notes do not tell."""
    if current is not None:
        current.complete = False


def found(path: str, status: "os.stat_result | None", mtime_ns: int = -1) -> None:
    """``path`` leads to something of this type, or to nothing; with ``mtime_ns`` it was changed just then."""
    if current is None:
        return
    if status is None:
        current.add("absent", path)
    else:
        current.add("there", path, stat.S_IFMT(status.st_mode), mtime_ns)


def newer(path: str, than_ns: int, is_newer: bool) -> None:
    """``path`` leads to something that was changed after a time, or it does not."""
    if current is not None:
        current.add("newer", path, than_ns, int(is_newer))


def entry(folder: str, name: str, status: "os.stat_result | None") -> None:
    """What stands in a folder under a name, links not followed."""
    if current is None:
        return
    kind = stat.S_IFMT(status.st_mode) if status else 0
    device = status.st_rdev if status else 0
    current.add("entry", folder, name, kind, os.major(device), os.minor(device))


def read(path: str, size: int, parts: "list[tuple[int, bytes]]") -> None:
    """A regular file of this size has these bytes at these places."""
    if current is None:
        return
    row: list[Field] = ["file", path, size, len(parts)]
    for at, data in parts:
        row += at, current.take(data)
    current.add(*row)


def names(path: str, listed: "list[str]") -> None:
    """A folder has these names and no others."""
    if current is not None:
        encoded = sorted(name.encode("utf-8", "surrogateescape") for name in listed)
        current.add("names", path, len(encoded), *encoded)


def resolved(path: str, to: str) -> None:
    """A path leads to the folder of that other path, which has no links in it."""
    if current is not None:
        current.add("resolved", path, to)


def step(owner: "tuple[int, int] | None", *row: "Field") -> None:
    """Something is written; what has to belong to somebody else is left to us."""
    if current is not None:
        current.steps.append(row)
        if owner is not None:
            current.complete = False
