"""A root file system as a plain folder, unpacked by somebody else: an image of one layer and no configuration.

For which machine it is, its programs tell.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from linkspan.errors import FormatError
from linkspan.image import contents, fatbin, limits
from linkspan.image.model import Config, Entry, Image, Kind, Layer
from linkspan.image.names import Refusals
from linkspan.image.tar import decoded

_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFLNK: "link",
    stat.S_IFDIR: "folder",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
    stat.S_IFIFO: "fifo",
}
_ARCHITECTURES = {3: "386", 21: "ppc64le", 40: "arm", 62: "amd64", 183: "arm64"}
"""Go's names for machines, as an image's configuration has them, by those of ELF; some machine of the GPUs' is none."""
_OF_ROOTS = ("bin", "etc", "lib", "sbin", "usr")
"""Folders of which a root file system that was not made from nothing has one."""
_CHUNK = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read(folder: str) -> Image:
    """The image in a folder. No link is followed, and no other file system is entered (``/proc``, ``/sys``)."""
    walk = _Walk(folder)
    entries = {entry.path: entry for entry in walk.entries()}
    _must_be_one(folder, entries, tuple(walk.refusals.sentences()))
    unpacked = sum(entry.size for entry in entries.values() if entry.kind == "file" and not entry.target)
    return Image(
        source=folder,
        config=Config(architecture=_architecture(entries.values()), is_there=False),
        layers=(Layer(number=0, size=unpacked, unpacked=unpacked),),
        entries=entries,
        refused=tuple(walk.refusals.sentences()),
    )


def _must_be_one(folder: str, entries: Mapping[str, Entry], refused: Sequence[str]) -> None:
    """FormatError for a folder that is no root file system: who named it by mistake must not hear that it is clean."""
    if not entries:
        why = "cannot be read" if refused else "is empty, so it is no root file system"
        raise FormatError(f"{folder} {why}", hint="you need the right to read it" if refused else "", subject=folder)
    build = next((name for name in ("Dockerfile", "Containerfile") if f"/{name}" in entries), "")
    if build and not any(f"/{name}" in entries for name in _OF_ROOTS) and not _architecture(entries.values()):
        raise FormatError(
            f"{folder} is a project's folder with a {build}, and no root file system",
            hint=f"name the file, {os.path.join(folder, build)}, or the image that it builds",
            subject=folder,
        )


def _architecture(entries: Iterable[Entry]) -> str:
    """The machine that most programs and libraries are for; empty where there are none."""
    machines = Counter(name for one in entries if one.elf and (name := _ARCHITECTURES.get(one.elf.machine)))
    return max(machines, key=machines.__getitem__, default="")


class _Walk:
    """The way through the folder."""

    def __init__(self, folder: str) -> None:
        self._root = os.fsencode(os.path.realpath(folder))
        self._device = os.stat(self._root).st_dev
        self._names: dict[int, str] = {}
        self._texts = limits.TEXTS
        self.refusals = Refusals()

    def entries(self) -> Iterator[Entry]:
        """Every path below the folder, in the order of an archive: the first of two hard links is the file."""
        ahead = self._folder(b"")
        count = 0
        while ahead:
            path, status = ahead.pop()
            count += 1
            if count > limits.ENTRIES:
                raise FormatError(f"the folder has more than {limits.ENTRIES:,} paths")
            entry = self._entry(path, status)
            if entry is not None:
                yield entry
            if stat.S_ISDIR(status.st_mode) and status.st_dev == self._device:
                ahead += self._folder(path)

    def _folder(self, folder: bytes) -> list[tuple[bytes, os.stat_result]]:
        """The paths in a folder, the last one first."""
        try:
            with os.scandir(self._root + folder or b"/") as found:
                names = [(folder + b"/" + one.name, one.stat(follow_symlinks=False)) for one in found]
                return sorted(names, reverse=True)
        except OSError as error:
            self.refusals.add(f"the folder cannot be read ({error.strerror})", decoded(folder) or "/")
            return []

    def _entry(self, path: bytes, status: os.stat_result) -> Entry | None:
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        text = decoded(path)
        if kind is None:
            return None  # a socket: no archive holds one
        mode, target = stat.S_IMODE(status.st_mode), ""
        if kind == "file":
            return self._file(path, text, status)
        if kind == "link":
            target = self._target(path)
        return Entry(path=text, kind=kind, layer=0, mode=mode, uid=status.st_uid, target=target)

    def _target(self, path: bytes) -> str:
        try:
            return decoded(os.readlink(self._root + path))
        except OSError:
            return ""

    def _file(self, path: bytes, text: str, status: os.stat_result) -> Entry:
        known = contents.Known()
        try:
            fd = os.open(self._root + path, _READ)
        except OSError as error:
            self.refusals.add(f"the file cannot be read ({error.strerror})", text)
        else:
            try:
                known = contents.look(text, status.st_mode, _Body(fd, status.st_size), self._texts)
            finally:
                os.close(fd)
        self._texts -= len(known.text or "")
        if known.refused:
            self.refusals.add(known.refused, text)
        other = self._names.setdefault(status.st_ino, text) if status.st_nlink > 1 else text
        return Entry(
            path=text,
            kind="file",
            layer=0,
            size=status.st_size,
            mode=stat.S_IMODE(status.st_mode),
            uid=status.st_uid,
            target="" if other == text else other,
            head=known.head,
            text=known.text,
            elf=known.elf,
        )


class _Body:
    """The bytes of an open file."""

    def __init__(self, fd: int, size: int) -> None:
        self._fd = fd
        self.size = size

    def first(self, length: int) -> bytes:
        """The first bytes."""
        return self.pread(0, length)

    def fatbins(self) -> list[int]:
        """Where fat binaries start."""
        finder = fatbin.Finder()
        for at in range(0, self.size, _CHUNK):
            finder.add(self.pread(at, _CHUNK))
        return finder.places

    def pread(self, at: int, length: int) -> bytes:
        """Bytes from anywhere; a disk error reads as the end of the file."""
        try:
            return os.pread(self._fd, length, at)
        except OSError:
            return b""
