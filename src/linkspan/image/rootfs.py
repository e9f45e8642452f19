"""A root file system as a plain folder, unpacked by somebody else: an image of one layer and no configuration.

For which machine it is, its programs tell.
"""

import contextlib
import errno
import os
import stat
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

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
_PLACE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def read(folder: str, config: Config | None = None, mounted: Container[str] = ()) -> Image:
    """The image in a folder. No link is followed, and no other file system is entered (``/proc``, ``/sys``).

    ``mounted`` are the paths in it that are none of its own: what a running container has mounted over them. Whoever
    runs in there may change it meanwhile; each name is looked up once, in a folder that is held open.
    Raises FormatError for a folder without end, that cannot be opened at all, or that is plainly no root file system.
    """
    with contextlib.closing(_Walk(folder, mounted)) as walk:
        entries = {entry.path: entry for entry in walk.entries()}
    if config is None:
        _must_be_one(folder, entries)
    unpacked = sum(entry.size for entry in entries.values() if entry.kind == "file" and not entry.target)
    known = config or Config(is_there=False)
    return Image(
        source=folder,
        config=msgspec.structs.replace(known, architecture=known.architecture or _architecture(entries.values())),
        layers=(Layer(number=0, size=unpacked, unpacked=unpacked),),
        entries=entries,
        refused=tuple(walk.refusals.sentences()),
    )


def _must_be_one(folder: str, entries: Mapping[str, Entry]) -> None:
    """FormatError for a folder that is no root file system: who named it by mistake must not hear that it is clean."""
    if not entries:
        raise FormatError(f"{folder} is empty, so it is no root file system", subject=folder)
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


class _Found(NamedTuple):
    """A name in a folder that is held open."""

    folder: int
    name: bytes
    path: str
    status: os.stat_result


class _Walk:
    """The way through the folder, each folder on it held by a descriptor."""

    def __init__(self, folder: str, mounted: Container[str]) -> None:
        try:
            self._open = [os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
        except OSError as error:
            raise FormatError(f"cannot look into {folder}: {(error.strerror or '').lower()}", subject=folder) from error
        self._device = os.fstat(self._open[0]).st_dev
        self._mounted = mounted
        self._names: dict[int, str] = {}
        self._texts = limits.TEXTS
        self.refusals = Refusals()

    def close(self) -> None:
        """Let go of the folders."""
        while self._open:
            os.close(self._open.pop())

    def entries(self) -> Iterator[Entry]:
        """Every path below the folder, in the order of an archive: the first of two hard links is the file."""
        ahead = [self._names_of(self._open[0], "")]
        count = 0
        while ahead:
            found = next(ahead[-1], None)
            if found is None:
                ahead.pop()
                os.close(self._open.pop())
                continue
            count += 1
            if count > limits.ENTRIES:
                raise FormatError(f"the folder has more than {limits.ENTRIES:,} paths")
            entry = self._entry(found)
            if entry is not None:
                yield entry
            if self._is_own_folder(found) and (names := self._enter(found, len(ahead))):
                ahead.append(names)

    def _is_own_folder(self, found: _Found) -> bool:
        same = found.status.st_dev == self._device and found.path not in self._mounted
        return same and stat.S_ISDIR(found.status.st_mode)

    def _enter(self, found: _Found, depth: int) -> Iterator[_Found] | None:
        if depth > limits.DEPTH:
            self.refusals.add(f"the folder is more than {limits.DEPTH} folders deep", found.path)
            return None
        try:
            fd = os.open(found.name, _FOLDER, dir_fd=found.folder)
        except OSError as error:
            self.refusals.add(f"the folder cannot be read ({error.strerror})", found.path)
            return None
        if os.fstat(fd).st_dev != self._device:  # it was mounted just now
            os.close(fd)
            return None
        self._open.append(fd)
        return self._names_of(fd, found.path)

    def _names_of(self, fd: int, path: str) -> Iterator[_Found]:
        """The names in a folder, in order."""
        found: list[tuple[bytes, os.stat_result]] = []
        try:
            with os.scandir(fd) as names:
                found += [(os.fsencode(one.name), one.stat(follow_symlinks=False)) for one in names]
        except OSError as error:
            self.refusals.add(f"the folder cannot be read ({error.strerror})", path)
        return (_Found(fd, name, f"{path}/{decoded(name)}", status) for name, status in sorted(found, key=_by_name))

    def _entry(self, found: _Found) -> Entry | None:
        status = found.status
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        if kind is None:
            return None  # a socket: no archive holds one
        if kind == "file":
            return None if found.path in self._mounted else self._file(found)
        target = _target(found) if kind == "link" else ""
        mode = stat.S_IMODE(status.st_mode)
        return Entry(path=found.path, kind=kind, layer=0, mode=mode, uid=status.st_uid, target=target)

    def _file(self, found: _Found) -> Entry:
        path, status, known = found.path, found.status, contents.Known()
        try:
            fd = _opened(found)
        except OSError as error:
            self.refusals.add(f"the file cannot be read ({error.strerror})", path)
        else:
            try:
                known = contents.look(path, status.st_mode, _Body(fd, status.st_size), self._texts)
            finally:
                os.close(fd)
        self._texts -= len(known.text or "")
        if known.refused:
            self.refusals.add(known.refused, path)
        other = self._names.setdefault(status.st_ino, path) if status.st_nlink > 1 else path
        return Entry(
            path=path,
            kind="file",
            layer=0,
            size=status.st_size,
            mode=stat.S_IMODE(status.st_mode),
            uid=status.st_uid,
            target="" if other == path else other,
            head=known.head,
            text=known.text,
            elf=known.elf,
        )


def _opened(found: _Found) -> int:
    """The file, for reading; a device that has taken its place meanwhile is not opened, since that may act on it."""
    place = os.open(found.name, _PLACE, dir_fd=found.folder)
    try:
        if not stat.S_ISREG(os.fstat(place).st_mode):
            raise OSError(errno.EAGAIN, "it was replaced meanwhile")
        return os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(place)


def _by_name(found: tuple[bytes, os.stat_result]) -> bytes:
    return found[0]


def _target(found: _Found) -> str:
    try:
        return decoded(os.readlink(found.name, dir_fd=found.folder))
    except OSError:
        return ""


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
