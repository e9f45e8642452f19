"""A layer's blob as the chunks of its tar archive: unpacked, measured and hashed on the way.

Unpacking runs in a thread of its own (it leaves the interpreter to others, as hashing does), so that one layer keeps
two processors busy: half of an image is often a single layer. What is unpacked is hashed by whoever takes it, since
that makes both threads about equally long.
"""

import hashlib
import queue
import threading
import zlib
from collections.abc import Generator
from contextlib import closing
from typing import IO, cast

import zstandard
from isal import igzip

from linkspan.errors import FormatError
from linkspan.image import limits
from linkspan.image.blobs import LayerBlob, Readable

CHUNK = 1 << 20
_WAITING = 8
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\3\4": "zip", b"\x04\x22\x4d\x18": "lz4"}


class Unpacking:
    """A layer on its way; once the chunks are through, ``diff_id`` is that of the archive and ``size`` the blob's."""

    def __init__(self, blob: LayerBlob, stream: Readable) -> None:
        self._blob = blob
        self._raw = _Hashed(stream, blob.size)
        self._plain = hashlib.sha256()
        self.unpacked = 0

    @property
    def diff_id(self) -> str:
        """The digest of what was unpacked."""
        return f"sha256:{self._plain.hexdigest()}"

    @property
    def size(self) -> int:
        """Bytes read of the blob."""
        return self._raw.count

    def chunks(self) -> Generator[bytes, None, None]:
        """The archive in chunks; FormatError where the blob is broken, a bomb, or not what its digest says."""
        try:
            reader = _reader(self._raw)
            while chunk := reader.read(CHUNK):
                self._count(chunk)
                yield chunk
        except (OSError, EOFError, zlib.error, igzip.BadGzipFile, zstandard.ZstdError) as error:
            raise FormatError(f"the layer cannot be unpacked: {str(error) or 'it ends too early'}") from error
        self._raw.drain()
        self._check("blob", self._blob.digest, f"sha256:{self._raw.hexdigest()}")

    def take(self, chunk: bytes) -> None:
        """Hash what was unpacked."""
        self._plain.update(chunk)

    def finish(self) -> None:
        """FormatError where the archive was not the one that the image names."""
        self._check("tar archive", self._blob.diff_id, self.diff_id)

    def _count(self, chunk: bytes) -> None:
        self.unpacked += len(chunk)
        if self.unpacked > limits.UNPACKED:
            raise FormatError(f"the layer unpacks to more than {limits.UNPACKED >> 30} GiB")
        if self.unpacked > limits.RATIO_FROM and self.unpacked > limits.RATIO * self._raw.count:
            raise FormatError(f"the layer unpacks to more than {limits.RATIO} times its size, as bombs do")

    def _check(self, what: str, wanted: str, found: str) -> None:
        if wanted and wanted != found:
            raise FormatError(
                f"the {what} of the layer is not the one that the image names: it is {found}, not {wanted}",
                hint="fetch or save the image again",
            )


class _Hashed:
    """A stream that is hashed and counted while it is read."""

    def __init__(self, stream: Readable, size: int) -> None:
        self._stream = stream
        self._size = size
        self._hash = hashlib.sha256()
        self._ahead = b""
        self.count = 0

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        if self._ahead:
            size = len(self._ahead) if size < 0 else size
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        data = self._stream.read(CHUNK if size < 0 else size)
        self._hash.update(data)
        self.count += len(data)
        if 0 <= self._size < self.count:
            raise FormatError(f"the blob of the layer has more than the {self._size} bytes that the image names")
        return data

    def readinto(self, buffer: bytearray) -> int:
        """The next bytes, into a buffer: how isal reads."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def peek(self) -> bytes:
        """The first bytes, which the next read returns again."""
        self._ahead = self.read(512)
        return self._ahead

    def drain(self) -> None:
        """Read to the end: what follows the archive counts for the digest."""
        while self.read(CHUNK):
            pass

    def close(self) -> None:
        """The stream is closed by whoever opened it."""

    def hexdigest(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


def _reader(raw: _Hashed) -> Readable:
    first = raw.peek()
    if first.startswith(b"\x1f\x8b"):
        return cast("Readable", igzip.IGzipFile(fileobj=raw, mode="rb"))  # type: ignore[no-untyped-call]
    if first.startswith(b"\x28\xb5\x2f\xfd") or first[1:4] == b"\x2a\x4d\x18":
        unpacker = zstandard.ZstdDecompressor(max_window_size=limits.WINDOW)
        return cast("Readable", unpacker.stream_reader(cast("IO[bytes]", raw), read_across_frames=True, closefd=False))
    for magic, name in _OTHERS.items():
        if first.startswith(magic):
            raise FormatError(f"the layer is packed with {name}, which no engine unpacks")
    return raw


def unpacked(unpacking: Unpacking) -> Generator[bytes, None, None]:
    """The chunks of a layer, made by another thread; that thread ends when this iterator is closed."""
    line: queue.Queue[bytes | BaseException | None] = queue.Queue(_WAITING)
    enough = threading.Event()
    worker = threading.Thread(target=_work, args=(unpacking, line, enough), name="unpacking", daemon=True)
    worker.start()
    try:
        while (item := line.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            unpacking.take(item)
            yield item
        unpacking.finish()
    finally:
        enough.set()
        while worker.is_alive():
            _empty(line)
            worker.join(0.01)


def _work(unpacking: Unpacking, line: "queue.Queue[bytes | BaseException | None]", enough: threading.Event) -> None:
    try:
        with closing(unpacking.chunks()) as chunks:
            for chunk in chunks:
                line.put(chunk)
                if enough.is_set():
                    return
        line.put(None)
    except BaseException as error:  # whatever it is, the reader has to hear of it, or it waits forever
        line.put(error)


def _empty(line: "queue.Queue[bytes | BaseException | None]") -> None:
    while not line.empty():
        line.get_nowait()
