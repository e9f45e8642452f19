"""One layer, read once: what it brings and what it takes away, without knowing the layers below it."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from typing import BinaryIO

import msgspec

from linkspan.errors import FormatError
from linkspan.image import contents, fatbin, limits, tar
from linkspan.image.blobs import LayerBlob
from linkspan.image.feed import ChunkFeed
from linkspan.image.model import MISSING_LAYER, Entry, Kind
from linkspan.image.names import Refusals, normal
from linkspan.image.unpack import Unpacking, unpacked

_KINDS: dict[str, Kind] = {
    "0": "file",
    "\0": "file",
    "1": "file",  # a further name of one
    "7": "file",
    "S": "file",
    "2": "link",
    "3": "char",
    "4": "block",
    "5": "folder",
    "6": "fifo",
}
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A layer's entries in the order of its archive, the layer's number not yet in them.

    ``removed`` are the paths that it removes from the layers below, ``emptied`` the folders that it empties of what
    those have there. ``hard_links`` tells which entries are further names of a file, by their place.
    """

    diff_id: str = ""
    size: int = 0
    unpacked: int = 0
    entries: list[Entry] = []
    hard_links: list[int] = []
    removed: list[str] = []
    emptied: list[str] = []
    refused: list[str] = []


def scan(blob: LayerBlob, room: int = limits.ENTRIES) -> Scan:
    """Read a layer. ``room`` is how many entries it may have; FormatError where it is broken or hostile as a whole."""
    if blob.open is None:
        where = f", but at {blob.elsewhere}" if blob.elsewhere else ""
        return Scan(refused=[f"the layer {blob.digest} {MISSING_LAYER}{where}; its files are not known"])
    stream = blob.open()
    try:
        unpacking = Unpacking(blob, stream)
        with closing(unpacked(unpacking)) as chunks:
            reader = _Reader(ChunkFeed(chunks), room)
            _read(reader)
        return msgspec.structs.replace(reader.result(), diff_id=unpacking.diff_id, size=unpacking.size)
    finally:
        stream.close()


def _read(reader: "_Reader") -> None:
    try:
        reader.read()
    except FormatError:
        reader.drain()  # a layer that is not the one it should be is told by its digest, in whatever way it is broken
        raise


class _Reader:
    """The members of one layer's archive, made into entries."""

    def __init__(self, feed: ChunkFeed, room: int) -> None:
        self._feed = feed
        self._room = room
        self._texts = limits.TEXTS
        self._unpacked = 0
        self._entries: list[Entry] = []
        self._hard_links: list[int] = []
        self._removed: list[str] = []
        self._emptied: list[str] = []
        self._refusals = Refusals()

    def read(self) -> None:
        """Read the archive to its end, and what follows it."""
        for count, member in enumerate(tar.members(self._feed), 1):
            if count > self._room:
                raise FormatError(f"the image has more than {limits.ENTRIES:,} paths")
            path = normal(member.name)
            if path is None:
                self._refusals.add("its name leads out of the image or is too long", member.name)
            elif member.kind not in _KINDS:
                self._refusals.add(f"it is of the unknown kind {member.kind!r}", member.name)
            elif not self._whiteout(path):
                self._add(path, member)
        self.drain()

    def drain(self) -> None:
        """Go to the end of the stream, where its digests are known."""
        self._feed.drain()

    def result(self) -> Scan:
        """What was read."""
        return Scan(
            unpacked=self._unpacked,
            entries=self._entries,
            hard_links=self._hard_links,
            removed=self._removed,
            emptied=self._emptied,
            refused=self._refusals.sentences(),
        )

    def _whiteout(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        if not name.startswith(_WHITEOUT):
            return False
        hidden = name.removeprefix(_WHITEOUT)
        if name == _OPAQUE:
            self._emptied.append(folder or "/")
        elif hidden in ("", ".", ".."):
            self._refusals.add("it is a whiteout of nothing", path)
        elif not hidden.startswith(_WHITEOUT):  # .wh..wh.plnk and the like are a storage driver's own business
            self._removed.append(f"{folder}/{hidden}")
        return True

    def _add(self, path: str, member: tar.Member) -> None:
        kind = _KINDS[member.kind]
        target = ""
        if member.kind == "1":
            linked = normal(member.link)
            if linked is None:
                self._refusals.add("it is a hard link that leads out of the image", path)
                return
            self._hard_links.append(len(self._entries))
            target = linked
        elif kind == "link":
            target = member.link[: limits.PATH]
        if kind == "file" and member.kind != "1":
            self._entries.append(self._file(path, member))
        else:
            self._entries.append(Entry(path=path, kind=kind, layer=0, mode=member.mode, uid=member.uid, target=target))

    def _file(self, path: str, member: tar.Member) -> Entry:
        self._unpacked += member.size
        if member.real is not None:  # what is stored of a sparse file is not its content from the start
            size = member.real if 0 <= member.real <= limits.FILE else 0
            if size != member.real:
                self._refusals.add(f"it claims a size of {member.real} bytes, which is not believed", path)
            return Entry(path=path, kind="file", layer=0, size=size, mode=member.mode, uid=member.uid)
        with _Body(self._feed, member.size) as body:
            known = contents.look(path, member.mode, body, self._texts)
        self._texts -= len(known.text or "")
        if known.refused:
            self._refusals.add(known.refused, path)
        return Entry(
            path=path,
            kind="file",
            layer=0,
            size=member.size,
            mode=member.mode,
            uid=member.uid,
            head=known.head,
            text=known.text,
            elf=known.elf,
        )


class _Body:
    """A member's bytes: read from the start, or put into a temporary file where somebody wants them at random."""

    def __init__(self, feed: ChunkFeed, size: int) -> None:
        self._feed = feed
        self._spool: BinaryIO | None = None
        self._start = b""
        self._finder = fatbin.Finder()
        self.size = size

    def __enter__(self) -> "_Body":
        return self

    def __exit__(self, *_: object) -> None:
        if self._spool:
            self._spool.close()

    def first(self, length: int) -> bytes:
        """The first bytes, at most ``length`` of them; a larger length later returns more."""
        missing = min(length, self.size) - len(self._start)
        if missing > 0:
            self._start += self._feed.read(missing)
            if len(self._start) < min(length, self.size):
                raise FormatError("the tar archive ends in the middle of a file")
        return self._start[:length]

    def fatbins(self) -> list[int]:
        """Where fat binaries start."""
        if self.size <= limits.IN_MEMORY:
            self._finder.add(self.first(self.size))
        elif not self._spool:
            self._spooled()
        return self._finder.places

    def pread(self, at: int, length: int) -> bytes:
        """Bytes from anywhere."""
        if self.size <= limits.IN_MEMORY:
            return self.first(self.size)[at : at + length]
        file = self._spool or self._spooled()
        file.seek(at)
        return file.read(length)

    def _spooled(self) -> BinaryIO:
        # The file has no name, so nobody finds it and nothing of it stays, however this process ends.
        self._spool = file = tempfile.TemporaryFile(prefix="linkspan-image-", buffering=0)  # noqa: SIM115
        for piece in chain([memoryview(self._start)], self._pieces(self.size - len(self._start))):
            file.write(piece)
            self._finder.add(bytes(piece))  # while it is at hand: to read all of it again would take longer
        return file

    def _pieces(self, length: int) -> Iterator[memoryview]:
        for piece in self._feed.pieces(length):
            length -= len(piece)
            yield piece
        if length:
            raise FormatError("the tar archive ends in the middle of a file")
