"""Where the parts of an image lie: a folder, or a tar archive of one. Names are relative, as ``blobs/sha256/…``."""

import io
import os
import stat
import tempfile
from collections.abc import Callable
from typing import BinaryIO, NamedTuple, Protocol

from isal import igzip

from linkspan.errors import FormatError
from linkspan.image import limits, tar
from linkspan.image.blobs import Readable
from linkspan.image.feed import FileFeed
from linkspan.image.names import normal

_GZIP = b"\x1f\x8b"


class Part(NamedTuple):
    """A part: its size in bytes, and how it is opened."""

    size: int
    open: Callable[[], Readable]


class Store(Protocol):
    """The parts of one or several images."""

    @property
    def place(self) -> str:
        """Where it is, for people."""
        ...

    def get(self, name: str) -> Part | None:
        """A part; None where it is not there."""
        ...

    def close(self) -> None:
        """Give back what the store holds; its parts are not read after that."""
        ...


def document(store: Store, name: str, limit: int = limits.DOCUMENT) -> bytes | None:
    """A small part as a whole; None where it is not there, FormatError where it is too large for what it is."""
    part = store.get(name)
    if part is None:
        return None
    if part.size > limit:
        raise FormatError(f"{name} in {store.place} has {part.size} bytes, where at most {limit} make sense")
    stream = part.open()
    try:
        return b"".join(iter(lambda: stream.read(1 << 20), b""))
    finally:
        stream.close()


class FolderStore:
    """A folder. A link in it is followed only where it stays in the folder."""

    def __init__(self, path: str) -> None:
        self.place = path
        self._root = os.path.realpath(path)

    def get(self, name: str) -> Part | None:
        """A part; None where it is not there."""
        path = os.path.realpath(f"{self._root}/{name}")
        if not path.startswith(self._root.rstrip("/") + "/"):
            return None
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(status.st_mode):  # a pipe would never end
            return None
        return Part(status.st_size, lambda: open(path, "rb", buffering=0))

    def close(self) -> None:
        """A folder holds nothing."""


class TarStore:
    """A tar archive, plain or packed with gzip; what is packed is unpacked into a temporary file without a name."""

    def __init__(self, path: str) -> None:
        self.place = path
        self._file = _plain(path)
        self._parts: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        try:
            self._index()
        except BaseException:
            self.close()
            raise

    def get(self, name: str) -> Part | None:
        """A part; None where it is not there."""
        path = normal(name)
        for _ in range(3):  # docker save had links for layers that several images share
            path = self._links.get(path, path) if path else path
        found = self._parts.get(path or "")
        if found is None:
            return None
        at, size = found
        return Part(size, lambda: Section(self._file.fileno(), at, size))

    def close(self) -> None:
        """Close the archive."""
        self._file.close()

    def _index(self) -> None:
        self._file.seek(0)
        feed = FileFeed(self._file)
        for count, member in enumerate(tar.members(feed)):
            if count > limits.ARCHIVE_MEMBERS:
                raise FormatError(f"{self.place} has more than {limits.ARCHIVE_MEMBERS} members, as no saved image has")
            path = normal(member.name)
            if path is None:
                continue
            if member.kind in ("0", "\0") and member.real is None:
                self._parts[path] = (feed.tell(), member.size)
            elif member.kind == "2":
                self._links[path] = os.path.normpath(f"{path.rpartition('/')[0]}/{member.link}")
            elif member.kind == "1":
                self._links[path] = normal(member.link) or path


class Section:
    """Some bytes of a file, read by offset: several of them share one file."""

    def __init__(self, fd: int, at: int, size: int) -> None:
        self._fd = fd
        self._at = at
        self._end = at + size

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; FormatError where the file ends before the section does."""
        left = self._end - self._at
        wanted = left if size < 0 else min(size, left)
        data = os.pread(self._fd, wanted, self._at)
        if wanted and not data:
            raise FormatError(f"the archive ends too early: {left} bytes are missing")
        self._at += len(data)
        return data

    def close(self) -> None:
        """The file stays open for others."""


def _plain(path: str) -> BinaryIO:
    file = open(path, "rb")  # noqa: SIM115 - it lives as long as the store
    if file.read(2) != _GZIP:
        return file
    file.seek(0)
    with file, tempfile.TemporaryFile(prefix="linkspan-image-") as whole:
        _unpack(file, whole, os.fstat(file.fileno()).st_size)
        return os.fdopen(os.dup(whole.fileno()), "rb")


def _unpack(file: BinaryIO, whole: BinaryIO, size: int) -> None:
    reader = igzip.IGzipFile(fileobj=file, mode="rb")  # type: ignore[no-untyped-call]
    done = 0
    try:
        while chunk := reader.read(1 << 20):
            done += len(chunk)
            if done > limits.UNPACKED or (done > limits.RATIO_FROM and done > limits.RATIO * size):
                raise FormatError(f"the archive unpacks to more than {limits.RATIO} times its size, as bombs do")
            whole.write(chunk)
    except (EOFError, OSError) as error:
        raise FormatError(f"the archive cannot be unpacked: {error}") from error
    whole.flush()


def is_tar(start: bytes) -> bool:
    """True where a file's first 512 bytes are those of a tar archive, or of one packed with gzip."""
    return start[:2] == _GZIP or start[257:262] == b"ustar" or (len(start) == tar.BLOCK and _old(start))


def _old(start: bytes) -> bool:
    try:
        next(tar.members(FileFeed(io.BytesIO(start))), None)
    except FormatError:
        return False
    return any(start)
