"""Where facts are read from: folders of this machine that stand for the root of a host.

Every path given to a reader is a path *below its root*; symlinks are followed the way they would lead on a host whose
root that is, so an absolute link of a driver container never leads into this machine's own ``/`` (contract 9.2 #11).
The root itself is trusted as the host is: it holds the driver that root's programs load.
"""

import fnmatch
import os
import posixpath
import stat
from typing import Literal, NamedTuple, Protocol

from linkspan.errors import HostError
from linkspan.facts.model import File, Link, Missing, Model

Kind = Literal["file", "folder", "link", "char", "block", "socket", "other"]

MAX_LINKS = 40
"""How many symlinks a path may lead through, as in the kernel (MAXSYMLINKS)."""
TEXT_LIMIT = 1 << 20
"""Bytes that are read of a text; those of /proc and the CSV files of Tegra have a few kilobytes."""

CSV_FOLDER = "/etc/nvidia-container-runtime/host-files-for-container.d"


class Search(Model, frozen=True, kw_only=True):
    """Where to look for a host.

    ``root`` is the driver root. An empty ``dev_root`` is the driver root where that has a /dev, else ``/``. The search
    paths are below the driver root and replace the usual folders; ``csv_files`` likewise, and may be patterns (contract
    5.1). ``nvml`` says whether NVML may be asked: a process of its own then loads the NVML library of that root.
    """

    root: str = "/"
    dev_root: str = ""
    library_search_paths: tuple[str, ...] = ()
    config_search_paths: tuple[str, ...] = ()
    csv_files: tuple[str, ...] = (f"{CSV_FOLDER}/*.csv",)
    nvml: bool = True


class Status(NamedTuple):
    """What stands at a path; the numbers are those of a device node."""

    kind: Kind
    major: int = 0
    minor: int = 0
    mode: int = 0
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0


class HostReader(Protocol):
    """A host below a root. Absent is a value here (None or empty), as is what may not be read."""

    @property
    def root(self) -> str:
        """The folder of this machine that is the root, absolute, without a slash at its end; empty for ``/``."""

    def real(self, path: str) -> str | None:
        """The path below the root with every symlink resolved, None where nothing stands there."""

    def status(self, path: str) -> Status | None:
        """What stands at the path; a symlink at its end is not followed."""

    def link(self, path: str) -> str | None:
        """The text of the symlink at the path, None where there is no symlink."""

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted."""

    def read(self, path: str, offset: int = 0, length: int = TEXT_LIMIT) -> bytes | None:
        """Bytes of a regular file."""

    def size(self, path: str) -> int:
        """The size of a regular file in bytes."""

    def uname(self) -> tuple[str, str]:
        """The kernel's release and the machine: ``("6.1.0-37-amd64", "x86_64")``."""


class LiveHost:
    """A host as it stands now below a folder of this machine."""

    def __init__(self, root: str = "/") -> None:
        self.root = os.path.abspath(root).rstrip("/")
        self._parents: dict[str, str | None] = {}

    def _here(self, path: str) -> str:
        return self.root + path

    def _entry(self, path: str) -> str | None:
        """Where on this machine the entry itself stands: only its folder is resolved, and that once per survey."""
        folder, name = posixpath.split(path)
        parent = self._parent(folder)
        return None if parent is None else self._here(posixpath.join(parent, name))

    def _parent(self, folder: str) -> str | None:
        if folder not in self._parents:
            self._parents[folder] = self._resolve(folder)
        return self._parents[folder]

    def real(self, path: str) -> str | None:
        """See HostReader. As for an entry, its folder is resolved once; most paths then need one look of their own."""
        folder, name = posixpath.split(path)
        parent = self._parent(folder) if name not in {"", ".", ".."} else None
        if parent is None:
            return self._resolve(path)
        found = posixpath.join(parent, name)
        if _readlink(self._here(found)) is not None:
            return self._resolve(found)
        return found if os.path.lexists(self._here(found)) else None

    def _resolve(self, path: str) -> str | None:
        """Every component in turn, as the kernel would below a root, but without recursion: the path may be hostile."""
        done: list[str] = []
        ahead = path.split("/")[::-1]
        links = 0
        while ahead:
            name = ahead.pop()
            if name == "..":
                done = done[:-1]
            elif name not in {"", "."}:
                target = _readlink(self._here("/" + "/".join([*done, name])))
                if target is None:
                    done.append(name)
                    continue
                links += 1
                if links > MAX_LINKS:
                    return None
                done = [] if target.startswith("/") else done
                ahead += target.split("/")[::-1]
        found = "/" + "/".join(done)
        return found if os.path.lexists(self._here(found)) else None

    def status(self, path: str) -> Status | None:
        """See HostReader."""
        entry = self._entry(path)
        try:
            found = os.lstat(entry or "")
        except OSError:
            return None
        device = found.st_rdev
        return Status(
            kind=_KINDS.get(stat.S_IFMT(found.st_mode), "other"),
            major=os.major(device),
            minor=os.minor(device),
            mode=stat.S_IMODE(found.st_mode) & 0o777,
            uid=found.st_uid,
            gid=found.st_gid,
            mtime_ns=found.st_mtime_ns,
        )

    def link(self, path: str) -> str | None:
        """See HostReader."""
        entry = self._entry(path)
        return None if entry is None else _readlink(entry)

    def names(self, folder: str) -> list[str]:
        """See HostReader."""
        real = self.real(folder)
        try:
            return [] if real is None else sorted(os.listdir(self._here(real)))
        except OSError:
            return []

    def read(self, path: str, offset: int = 0, length: int = TEXT_LIMIT) -> bytes | None:
        """See HostReader."""
        real = self.real(path)
        if real is None:
            return None
        try:
            descriptor = os.open(self._here(real), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            return _read_regular(descriptor, offset, length)
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def size(self, path: str) -> int:
        """See HostReader."""
        real = self.real(path)
        try:
            return 0 if real is None else os.lstat(self._here(real)).st_size
        except OSError:
            return 0

    def uname(self) -> tuple[str, str]:
        """See HostReader."""
        system = os.uname()
        return system.release, system.machine


_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
    stat.S_IFSOCK: "socket",
}


def _readlink(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _read_regular(descriptor: int, offset: int, length: int) -> bytes | None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return None
    parts = []
    while length > 0 and (part := os.pread(descriptor, length, offset)):  # /proc gives a page at a time
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return b"".join(parts)


class Survey:
    """One look at a host: the places that are read, and what was looked for and not found.

    ``files`` is below the driver root, ``nodes`` below the device root. ``kernel`` is where /proc and /sys are read:
    below the driver root if it has a /proc/devices (as a driver container and a simulated host have), since that
    speaks for the kernel whose driver this is, else on the machine.
    """

    def __init__(self, search: Search, files: HostReader, nodes: HostReader, kernel: HostReader) -> None:
        self.search = search
        self.files = files
        self.nodes = nodes
        self.kernel = kernel
        self.missing: list[Missing] = []

    def miss(self, part: str, reason: str, *, optional: bool = False) -> None:
        """Note what is not there, and how that was found."""
        self.missing.append(Missing(part=part, reason=reason, optional=optional))


def survey(search: Search) -> Survey:
    """The survey of a live host. Raises HostError where a root is not a folder."""
    for option, root in (("--driver-root", search.root), ("--dev-root", search.dev_root or "/")):
        if not os.path.isdir(root):
            raise HostError(f"{root} is not a folder", hint=f"{option} takes the root of a host", subject=root)
    files = LiveHost(search.root)
    own_nodes = is_folder(files, "/dev")
    nodes = LiveHost(search.dev_root or (search.root if own_nodes else "/"))
    kernel = files if is_file(files, "/proc/devices") else LiveHost("/")
    return Survey(search, files, nodes, kernel)


def text(host: HostReader, path: str) -> str | None:
    """A small text, None where there is none."""
    data = host.read(path)
    return None if data is None else data.decode("utf-8", "replace")


def is_file(host: HostReader, path: str) -> bool:
    """True where a regular file stands, symlinks followed."""
    return _kind(host, path) == "file"


def is_folder(host: HostReader, path: str) -> bool:
    """True where a folder stands, symlinks followed."""
    return _kind(host, path) == "folder"


def _kind(host: HostReader, path: str) -> Kind | None:
    real = host.real(path)
    found = host.status(real) if real else None
    return found.kind if found else None


def as_file(host: HostReader, path: str) -> File:
    """The thing at a path that exists, as a fact."""
    return File(path=path, host_path=host.root + (host.real(path) or path))


def glob(host: HostReader, pattern: str) -> list[str]:
    """The paths below the root that match a shell pattern, in which ``*`` does not match a slash."""
    found = [""]
    for part in pattern.strip("/").split("/"):
        if any(sign in part for sign in "*?["):
            found = [f"{folder}/{name}" for folder in found for name in fnmatch.filter(host.names(folder or "/"), part)]
        else:
            found = [f"{folder}/{part}" for folder in found]
    return [path for path in found if host.status(path)]


def hops(host: HostReader, path: str) -> tuple[Link, ...]:
    """The symlinks that a path's last component leads through, one after the other, each with its own text."""
    steps: list[Link] = []
    while (target := host.link(path)) is not None and len(steps) < MAX_LINKS:
        steps.append(Link(path=path, target=target))
        folder = posixpath.dirname(path)
        if ".." in target:  # which leads up from where the folder really is
            folder = host.real(folder) or folder
        path = posixpath.normpath(posixpath.join(folder, target))
    return tuple(steps)
