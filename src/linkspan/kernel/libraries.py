"""The libraries in folders of a container, as entries of its loader cache: what ldconfig finds by scanning them."""

import posix as os

from linkspan.errors import FormatError, LinkspanError
from linkspan.formats import elf, ldcache
from linkspan.kernel import notes, paths
from linkspan.kernel.walk import link_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from linkspan.formats.ldcache import Entry

MAX_NAMES = 20_000
"""Names read from all folders of one container; the largest library folders of distributions have some 5000."""
MAX_LIBRARIES = 2_000
"""Files opened for one container's start; half a second's work."""

_TEMPORARY = (".dpkg-new", ".dpkg-tmp", ".#prelink#")  # of a package's installation; rpm's have a ";" within


class Scanner:
    """Scans folders below one root, within bounds for all of them together: what lies beyond is not found."""

    __slots__ = ("_known", "_libraries_left", "_names_left", "_root")

    def __init__(self, root_fd: int, libraries: int = 0) -> None:
        self._root = root_fd
        self._names_left = MAX_NAMES
        self._libraries_left = libraries or MAX_LIBRARIES
        self._known: dict[tuple[int, int], tuple[str, int]] = {}

    def scan(self, folder: str) -> "list[Entry]":
        """The entries for the libraries in ``folder``; what is no library, or of no GPU host's machine, is left out.

        As with ldconfig a file is found by its SONAME, at the link of that name where there is one, and the file with
        the highest number wins. A development link (``libcuda.so``) is found by its own name.
        """
        fd = paths.open_folder(self._root, folder)
        if fd is None:
            return []
        try:
            names = self._names(folder)
            facts = {name: found for name in names if (found := self._inspect(fd, folder, name))}
        finally:
            os.close(fd)
        entries: dict[tuple[str, int], Entry] = {}
        for file, (name, flags) in facts.items():
            path = f"{folder}/{name if facts.get(name) == (name, flags) else file}"
            entries.setdefault((name, flags), (name, path, flags, 0, 0))
        return list(entries.values())

    def _names(self, folder: str) -> "list[str]":
        try:
            names = paths.list_folder(self._root, folder, self._names_left) or []
        except FormatError:
            return []
        self._names_left -= len(names)
        libraries = sorted(filter(is_library, names), key=ldcache.sort_key, reverse=True)[: self._libraries_left]
        self._libraries_left -= len(libraries)
        return libraries

    def _inspect(self, fd: int, folder: str, name: str) -> "tuple[str, int] | None":
        """The name that a file is found by, and its flags; None for what is no library."""
        notes.spoil()  # hundreds of files may be looked into; their notes would take as long as looking
        try:
            soname, flags = self._read(f"{folder}/{name}")
        except (LinkspanError, OSError):
            return None
        if not flags:
            return None
        for_development = name.endswith(".so") and soname.startswith(name) and link_text(fd, name) is not None
        return (name if for_development or not soname else soname), flags

    def _read(self, path: str) -> "tuple[str, int]":
        fd = paths.open_beneath(self._root, path)
        if fd is None:
            return "", 0
        try:
            status = os.fstat(fd)
            identity = (status.st_dev, status.st_ino)
            if identity not in self._known:
                found = elf.read(lambda at, length: os.pread(fd, length, at), status.st_size)
                self._known[identity] = found.soname, ldcache.flags_for(found.machine, found.bits)
            return self._known[identity]
        finally:
            os.close(fd)


def is_library(name: str) -> bool:
    """Whether ldconfig takes a file for a library by its name."""
    is_temporary = name.endswith(_TEMPORARY) or ";" in name
    return name.startswith(("lib", "ld-", "ld.so")) and ".so" in name and not is_temporary
