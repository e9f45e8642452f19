"""What the configuration of a root's ldconfig says, ``/etc/ld.so.conf`` and what it includes.

It is an image's: it may include itself, be endless, or no file at all. So all of it is read in bounds, and what lies
beyond them is not known, which costs at most that a folder is listed twice.
"""

from linkspan.errors import FormatError, UnsafePath
from linkspan.formats import ldconf, pathnames
from linkspan.kernel import notes, paths

CONF = "/etc/ld.so.conf"
DROP_INS = "/etc/ld.so.conf.d"

MAX_BYTES = 256 << 10
"""Of all files together; a distribution has some hundred."""
MAX_FILES = 64
MAX_PATTERNS = 64
MAX_NAMES = 1_000
"""In a folder that a pattern searches."""
MAX_FOLDERS = 256


class Configuration:
    """``folders`` is what is listed, in order, by all files but ours in ``/etc/ld.so.conf.d``."""

    __slots__ = ("_bytes_left", "_files", "_names", "_ours", "_patterns", "_root", "folders")

    def __init__(self, root_fd: int, ours: "tuple[str, ...]") -> None:
        self._root = root_fd
        self._ours = ours
        self._bytes_left = MAX_BYTES
        self._names: dict[str, list[str]] = {}
        self._patterns: list[tuple[str, str]] = []
        self._files = [CONF]
        self.folders: dict[str, None] = {}
        for path in self._files:  # grows as includes are met
            self._read(path)

    def includes(self, name: str) -> bool:
        """Whether ldconfig would read a file of that name in ``/etc/ld.so.conf.d``."""
        return any(folder == DROP_INS and ldconf.matches(name, pattern) for folder, pattern in self._patterns)

    def names(self, folder: str) -> "list[str]":
        """The names in a folder of configuration files."""
        if folder not in self._names:
            try:
                self._names[folder] = paths.list_folder(self._root, folder, MAX_NAMES) or []
            except (FormatError, UnsafePath):
                notes.spoil()
                self._names[folder] = []
        return self._names[folder]

    def _read(self, path: str) -> None:
        data = paths.content(self._root, path, self._bytes_left)
        if data is None:
            return
        self._bytes_left -= len(data)
        folders, patterns = ldconf.parse(data.decode("utf-8", "surrogateescape"))
        self.folders.update(dict.fromkeys(folders[: MAX_FOLDERS - len(self.folders)]))
        for pattern in patterns[: MAX_PATTERNS - len(self._patterns)]:
            self._include(pathnames.join(pathnames.folder(path), pattern))

    def _include(self, pattern: str) -> None:
        folder, _, name = pattern.rpartition("/")
        self._patterns.append((folder, name))
        for found in self.names(folder):
            path = f"{folder}/{found}"
            is_ours = folder == DROP_INS and found in self._ours
            if ldconf.matches(found, name) and not is_ours and path not in self._files and len(self._files) < MAX_FILES:
                self._files.append(path)
