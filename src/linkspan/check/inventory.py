"""What of the GPU stack is below a root: every folder is walked on descriptors, and no symlink is ever followed.

The root may be that of a container that runs, and that changes its files while we look: so a folder is entered by its
name in the folder before, without following links, and a file is read through the descriptor by which it was found to
be a regular one. Of each file only its name, its size and the head of its ELF are looked at.
"""

import os
import stat
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from linkspan.check import wheels
from linkspan.check.boundary import Owner
from linkspan.check.pieces import Piece, Read, may_be_library, part_by_name, piece
from linkspan.errors import FormatError, LinkspanError
from linkspan.formats import elf
from linkspan.formats.procfs import MountPoint
from linkspan.kernel import paths

DEPTH = 64
"""Folders within each other that are walked; each of them holds a descriptor."""
GAPS = 20
"""Sentences on what could not be looked at; more of them tell no more."""
TICK = 256
"""Entries between two calls of ``tick``."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KERNELS = frozenset(
    {
        *("proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "securityfs", "debugfs", "tracefs", "bpf"),
        *("pstore", "configfs", "efivarfs", "binfmt_misc", "fusectl", "hugetlbfs", "autofs"),
    }
)
"""File systems that hold nothing but what the kernel says."""


class Inventory(NamedTuple):
    """What was found, sorted by path; ``gaps`` are sentences on what was not looked at, ``entries`` a count."""

    pieces: tuple[Piece, ...]
    entries: int
    gaps: tuple[str, ...]


class TooLong(Exception):
    """The time is over. Internal: it ends up as a gap."""


def survey(
    root_fd: int,
    mounts: Mapping[str, MountPoint] | None = None,
    *,
    until: float = float("inf"),
    tick: Callable[[int], None] = lambda _: None,
) -> Inventory:
    """Everything of the stack below a root.

    ``mounts`` are the mounts of a running container by their path: what is on one of them is the host's; without them
    all is the image's. ``until`` is a time of ``time.monotonic``, at which the survey ends with a gap. ``tick`` is told
    now and then how many entries were looked at.
    """
    made = _Survey(root_fd, mounts or {}, until, tick)
    made.run()
    found = sorted(wheels.versioned(made.found, made.packages), key=lambda one: one.path)
    return Inventory(tuple(found), made.entries, tuple(made.gaps))


class _Survey:
    """One walk through everything below a root; what is mounted there comes last, as it may be large."""

    def __init__(
        self, root_fd: int, mounts: Mapping[str, MountPoint], until: float, tick: Callable[[int], None]
    ) -> None:
        self._root = root_fd
        self._mounts = mounts
        self._until = until
        self._tick = tick
        self._later: list[str] = []
        self.found: list[Piece] = []
        self.packages = wheels.Packages()
        self.entries = 0
        self.gaps: list[str] = []

    def run(self) -> None:
        try:
            self._walk("", lambda: os.open(".", _FOLDER, dir_fd=self._root), 0)
            while self._later:
                path = self._later.pop(0)
                self._walk(path, lambda path=path: self._open_mount(path), 0)  # type: ignore[misc]
        except TooLong:
            self._gap(f"the time was over after {self.entries} entries")

    def _open_mount(self, path: str) -> int:
        held = paths.open_folder(self._root, path)
        if held is None:
            raise FileNotFoundError
        try:
            return os.open(".", _FOLDER, dir_fd=held)
        finally:
            os.close(held)

    def _walk(self, path: str, opened: Callable[[], int], depth: int) -> None:
        try:
            fd = opened()
        except FileNotFoundError:
            return  # gone in the meantime
        except (OSError, LinkspanError) as error:
            self._gap(f"{path or '/'} cannot be read: {getattr(error, 'strerror', None) or error}")
            return
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    self._count()
                    self._entry(fd, entry, f"{path}/{entry.name}", depth)
        except OSError as error:
            self._gap(f"{path or '/'} cannot be read: {error.strerror}")
        finally:
            os.close(fd)

    def _count(self) -> None:
        self.entries += 1
        if self.entries % TICK == 0:
            self._tick(self.entries)
            if time.monotonic() > self._until:
                raise TooLong

    def _entry(self, folder: int, entry: "os.DirEntry[str]", path: str, depth: int) -> None:
        if not entry.is_dir(follow_symlinks=False):
            self._thing(folder, entry, path)
        elif entry.name.endswith(".dist-info"):
            self.packages.add(path)
        elif path in self._mounts:
            if self._mounts[path].type not in _KERNELS:
                self._later.append(path)
        elif path in {"/proc", "/sys"}:
            return
        elif depth >= DEPTH:
            self._gap(f"{path} is too deep")
        else:
            self._walk(path, lambda: os.open(entry.name, _FOLDER, dir_fd=folder), depth + 1)

    def _thing(self, folder: int, entry: "os.DirEntry[str]", path: str) -> None:
        try:
            mode = entry.stat(follow_symlinks=False).st_mode
            if not part_by_name(path) and not (stat.S_ISREG(mode) and may_be_library(path, mode)):
                return
            read = self._read(folder, entry, path)
        except FileNotFoundError:
            return  # gone in the meantime
        except OSError as error:
            self._gap(f"{path} cannot be read: {error.strerror}")
            return
        made = piece(path, read, self._whose(path, read.mode))
        if made:
            self.found.append(made)

    def _read(self, folder: int, entry: "os.DirEntry[str]", path: str) -> Read:
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(entry.name, dir_fd=folder)
            return Read(status.st_mode, 0, target, dangling=self._dangles(path))
        if not stat.S_ISREG(status.st_mode) or not status.st_size:
            return Read(status.st_mode, 0)
        soname, noted = content(entry.name, folder)
        return Read(status.st_mode, status.st_size, soname=soname, noted=noted)

    def _dangles(self, path: str) -> bool:
        try:
            return paths.look(self._root, path) is None
        except LinkspanError:
            return True  # a loop, or a way that leads nowhere

    def _whose(self, path: str, mode: int) -> Owner:
        """The host's is what stands on a mount; what was written to a tmpfs is the container's own, unless a node."""
        place = path
        while place:
            mount = self._mounts.get(place)
            if mount:
                return "image" if mount.type == "tmpfs" and not stat.S_ISCHR(mode) else "host"
            place = place.rpartition("/")[0]
        return "image"

    def _gap(self, sentence: str) -> None:
        if len(self.gaps) < GAPS:
            self.gaps.append(sentence)


def content(name: str, folder: int | None = None) -> tuple[str | None, bool]:
    """The SONAME of a regular file, None where it is not ELF, and whether it carries NVIDIA's note on compatibility.

    ``folder`` is the descriptor of the folder that the name stands in; a symlink in its place is not followed then.
    OSError where it cannot be read.
    """
    fd = os.open(name, _FILE if folder is not None else _FILE & ~os.O_NOFOLLOW, dir_fd=folder)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError(name)  # it was one a moment ago
        return _head(fd, status.st_size)
    finally:
        os.close(fd)


def _head(fd: int, size: int) -> tuple[str | None, bool]:
    def pread(offset: int, length: int) -> bytes:
        return os.pread(fd, length, offset)

    try:
        soname = elf.read(pread, size).soname
    except FormatError:
        return None, False
    try:
        return soname, soname.startswith("libcuda.so") and elf.compat_note(pread, size) is not None
    except FormatError:
        return soname, False
