"""Bytes that come in chunks, read in the pieces that a tar archive has."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol


class Feed(Protocol):
    """A way through bytes, forward only."""

    def tell(self) -> int:
        """How many bytes are behind."""
        ...

    def read(self, length: int) -> bytes:
        """The next bytes, fewer only at the end."""
        ...

    def skip(self, length: int) -> None:
        """Go over bytes; past the end is the end."""
        ...


class ChunkFeed:
    """A feed of a stream's chunks; of these it keeps one."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._chunk = b""
        self._at = 0
        self._before = 0

    def tell(self) -> int:
        """How many bytes are behind."""
        return self._before + self._at

    def read(self, length: int) -> bytes:
        """The next bytes, fewer only at the end."""
        end = self._at + length
        if end <= len(self._chunk):
            data = self._chunk[self._at : end]
            self._at = end
            return data
        return b"".join(self.pieces(length))

    def pieces(self, length: int) -> Iterator[memoryview]:
        """The next bytes as they come, fewer only at the end."""
        while length > 0 and self._more():
            piece = memoryview(self._chunk)[self._at : self._at + length]
            self._at += len(piece)
            length -= len(piece)
            yield piece

    def skip(self, length: int) -> None:
        """Go over bytes; past the end is the end."""
        while length > 0 and self._more():
            step = min(length, len(self._chunk) - self._at)
            self._at += step
            length -= step

    def drain(self) -> None:
        """Go to the end."""
        while self._more():
            self._at = len(self._chunk)

    def _more(self) -> bool:
        while self._at >= len(self._chunk):
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self._before += len(self._chunk)
            self._chunk, self._at = chunk, 0
        return True


class FileFeed:
    """A feed of a file that can be sought in: what is skipped is not read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def tell(self) -> int:
        """How many bytes are behind."""
        return self._file.tell()

    def read(self, length: int) -> bytes:
        """The next bytes, fewer only at the end."""
        return self._file.read(length)

    def skip(self, length: int) -> None:
        """Go over bytes; past the end is the end."""
        self._file.seek(length, 1)
