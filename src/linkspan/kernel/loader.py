"""Makes a container's loader find the driver's libraries, without running a program of the image or of the host.

glibc looks into ``/etc/ld.so.cache``, then into its built-in folders. The cache is rewritten with our names before the
image's own; their folders also go into ``/etc/ld.so.conf.d``, so that an ldconfig that somebody runs later in the
container finds the same. That is the container's own ldconfig, which knows its built-in folders: the list of them that
NVIDIA's hook adds as ``zz-…`` (contract 6.3) serves a host's ldconfig run in the container, which we do not do.

The libraries need not be there yet, and are not opened. All that is read is a stranger's: what cannot be used, such as
garbage, a FIFO or four gigabytes of configuration, counts as absent.
"""

import errno

from linkspan.errors import FormatError, KernelError, LinkspanError
from linkspan.formats import ldcache, ldconf, pathnames
from linkspan.kernel import musl, notes, paths
from linkspan.kernel.ldconfig import CONF, DROP_INS, MAX_BYTES, MAX_FOLDERS, Configuration

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from linkspan.formats.ldcache import Entry
    from linkspan.kernel.walk import Owner

CACHE = "/etc/ld.so.cache"
INCLUDE = f"include {DROP_INS}/*.conf\n"
# ldconfig reads them in this order, and the folder that comes first wins.
COMPAT_NAME = "00-compat-linkspan.conf"
OUR_NAME = "00-linkspan.conf"

MAX_CACHE = 16 << 20

_MACHINES = {("x86_64", 64): 62, ("x86_64", 32): 3, ("aarch64", 64): 183, ("aarch64", 32): 40}
_MULTIARCH = {
    ("x86_64", 64): "x86_64-linux-gnu",
    ("x86_64", 32): "i386-linux-gnu",
    ("aarch64", 64): "aarch64-linux-gnu",
    ("aarch64", 32): "arm-linux-gnueabihf",
}
# Asked for only beside musl: an image of glibc may keep its loader elsewhere.
_GLIBC_LOADERS = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}


def update(
    root_fd: int, arch: str, loadables: "Sequence[tuple[str, int]]", compat: str = "", owner: "Owner" = None
) -> None:
    """Make the loader find ``loadables``, pairs of a library's path and its bits; what is right already stays.

    ``compat`` is a folder of the image whose libraries go before all others. Raises KernelError where a file that is
    needed cannot be written.
    """
    folders = dict.fromkeys(pathnames.folder(path) for path, _ in loadables)
    if _needs_cache(root_fd, arch, {bits for _, bits in loadables}, [*([compat] * bool(compat)), *folders], owner):
        _Glibc(root_fd, arch, owner).update(loadables, compat)


def update_folders(root_fd: int, arch: str, folders: "Sequence[str]", owner: "Owner" = None) -> None:
    """Make the loader find every library in ``folders``, which are there already: the host's before all others.

    Compatibility libraries that ``use_compat`` put to use stay before those. Raises as ``update`` does.
    """
    from linkspan.kernel import folders as scanning  # the one caller that names no libraries

    wanted = {ldcache.flags_for(_MACHINES.get((arch, bits), 0), bits): bits for bits in (64, 32)}
    listed = [*dict.fromkeys(pathnames.normal(folder) for folder in folders)]
    mounted, others = scanning.collect(root_fd, listed, wanted.keys() - {0}, owner)
    compat = _compat_in_use(root_fd)
    bits = {wanted[entry[2]] for entry in (*mounted, *others)}
    if _needs_cache(root_fd, arch, bits, [*([compat] * bool(compat)), *listed], owner):
        _Glibc(root_fd, arch, owner).update_folders(listed, mounted, others, compat)


def use_compat(root_fd: int, arch: str, compat: str, owner: "Owner" = None) -> None:
    """Put the libraries of a folder of the image before all others.

    Without one, those that an earlier start of the container used are forgotten.
    """
    if compat:
        update(root_fd, arch, (), compat, owner)
    elif paths.look(root_fd, f"{DROP_INS}/{COMPAT_NAME}") is not None:
        _Glibc(root_fd, arch, owner).forget_compat(_compat_in_use(root_fd))


def _compat_in_use(root_fd: int) -> str:
    data = paths.content(root_fd, f"{DROP_INS}/{COMPAT_NAME}", MAX_BYTES) or b""
    folders, _ = ldconf.parse(data.decode("utf-8", "surrogateescape"))
    return folders[0] if folders and paths.resolve(root_fd, folders[0]) else ""


def _needs_cache(root_fd: int, arch: str, bits: "set[int]", folders: "list[str]", owner: "Owner") -> bool:
    """Whether there is a loader of glibc's; one of musl's gets the folders here."""
    has_musl = [musl.update(root_fd, arch, one, folders, owner) for one in {64, *bits}]
    return not any(has_musl) or paths.look(root_fd, _GLIBC_LOADERS.get(arch, CACHE)) is not None


class _Glibc:
    """One root's glibc loader: what the image says of it, and what is written."""

    __slots__ = ("_arch", "_cache", "_conf", "_hwcap_folders", "_image", "_multiarch", "_owner", "_resolved", "_root")

    def __init__(self, root_fd: int, arch: str, owner: "Owner") -> None:
        self._root = root_fd
        self._arch = arch
        self._owner = owner
        self._multiarch = self._status("/etc/debian_version") is not None
        self._conf = Configuration(root_fd, (COMPAT_NAME, OUR_NAME))
        self._cache = paths.content(root_fd, CACHE, MAX_CACHE)
        self._image: list[Entry] = []
        self._resolved: dict[str, str] = {}
        if self._cache is not None:
            try:
                self._image = ldcache.parse(self._cache)
            except FormatError:
                self._cache = None  # the loader would not follow it either
        self._hwcap_folders = ldcache.hwcap_folders(self._cache or b"")

    def update(self, loadables: "Sequence[tuple[str, int]]", compat: str) -> None:
        """Write configuration and cache, as far as they differ from what is there."""
        ours = [self._entry(path, bits) for path, bits in loadables]
        try:
            self._write_configuration([pathnames.folder(path) for path, _ in loadables], compat)
            self._write_cache(ours, compat)
        except KernelError as error:
            if compat or not _is_read_only(error) or not self._finds_anyway(loadables, ours):
                raise

    def update_folders(
        self, folders: "Sequence[str]", mounted: "list[Entry]", others: "list[Entry]", compat: str
    ) -> None:
        """The same for folders with the libraries of the host and of the image in them.

        The image's own go first only where its loader did not look before; where it did, its order stays.
        """
        known = {*self._conf.folders, *self._builtin(64), *self._builtin(32)}
        first = mounted + [entry for entry in others if pathnames.folder(entry[1]) not in known]
        rest = [entry for entry in others if pathnames.folder(entry[1]) in known]
        try:
            self._write_configuration(folders, compat)
            self._write_cache(first, compat, rest)
        except KernelError as error:
            if compat or not _is_read_only(error) or not self._finds_these_anyway(first):
                raise

    def forget_compat(self, folder: str) -> None:
        """Take compatibility libraries out of configuration and cache, unless the image configures them itself."""
        paths.remove(self._root, f"{DROP_INS}/{COMPAT_NAME}")
        if self._cache is not None and folder not in self._conf.folders:
            entries = [entry for entry in self._image if pathnames.folder(entry[1]) != folder]
            self._write(CACHE, ldcache.render(entries, self._hwcap_folders))

    def _listed_before(self) -> "list[str]":
        data = paths.content(self._root, f"{DROP_INS}/{OUR_NAME}", MAX_BYTES) or b""
        return ldconf.parse(data.decode("utf-8", "surrogateescape"))[0]

    def _entry(self, path: str, bits: int) -> "Entry":
        flags = ldcache.flags_for(_MACHINES.get((self._arch, bits), 0), bits)
        return pathnames.name(path), path, flags, 0, 0

    def _builtin(self, bits: int) -> "tuple[str, ...]":
        """The folders that the loader searches without being told, and its ldconfig too."""
        if self._multiarch:
            name = _MULTIARCH.get((self._arch, bits), "")
            return (f"/lib/{name}", f"/usr/lib/{name}", "/lib", "/usr/lib")
        return ("/lib64", "/usr/lib64", "/lib", "/usr/lib") if bits == 64 else ("/lib", "/usr/lib")

    def _write_configuration(self, folders: "Sequence[str]", compat: str) -> None:
        known = {*self._conf.folders, *self._builtin(64)}
        # Those that are listed already stay: a container may have devices of several specs, each with a hook.
        listed = [*self._listed_before(), *folders]
        new = dict.fromkeys(folder for folder in listed if folder not in known)
        was_compat = not compat and COMPAT_NAME in self._conf.names(DROP_INS)  # before a name of ours is among them
        if new:
            self._write(f"{DROP_INS}/{OUR_NAME}", "".join(f"{folder}\n" for folder in new).encode())
        if compat:
            self._write(f"{DROP_INS}/{COMPAT_NAME}", f"{compat}\n".encode())
        elif was_compat:
            paths.remove(self._root, f"{DROP_INS}/{COMPAT_NAME}")  # of an earlier start, with an older driver
        if (new or compat) and not self._conf.includes(OUR_NAME):
            self._include_drop_ins()

    def _include_drop_ins(self) -> None:
        old = paths.content(self._root, CONF, MAX_BYTES)
        if old is not None or self._status(CONF) is None:
            self._write(CONF, INCLUDE.encode() + (old or b""))

    def _write_cache(self, ours: "list[Entry]", compat: str, rest: "Sequence[Entry]" = ()) -> None:
        """Ours first, then what has changed since the image's ldconfig ran, then what that found, then the rest."""
        changed = self._changed_folders()
        image = self._image
        if compat or changed:
            from linkspan.kernel.libraries import Scanner  # most containers need neither it nor ELF

            scanner = Scanner(self._root)
            ours = (scanner.scan(compat) if compat else []) + ours
            found = [entry for folder in changed for entry in scanner.scan(folder)]
            image = found + [entry for entry in image if pathnames.folder(entry[1]) not in changed]
        taken = {entry[1] for entry in ours}
        entries = ours + [entry for entry in image if entry[1] not in taken]
        if rest:
            there = {self._identity(entry) for entry in entries}
            entries += [entry for entry in rest if self._identity(entry) not in there]
        data = ldcache.render(entries, self._hwcap_folders)
        if data != self._cache:
            paths.write_file(self._root, CACHE, data, owner=self._owner)

    def _identity(self, entry: "Entry") -> "tuple[str, int, str]":
        """What two entries for the same library have in common; its folder may have two names, as /lib has."""
        folder = pathnames.folder(entry[1])
        if folder not in self._resolved and len(self._resolved) < MAX_FOLDERS:
            self._resolved[folder] = self._resolve(folder)
        return entry[0], entry[2], self._resolved.get(folder, folder)

    def _resolve(self, folder: str) -> str:
        try:
            return paths.resolve(self._root, folder) or folder
        except LinkspanError:
            return folder

    def _changed_folders(self) -> "list[str]":
        """The configured folders that were changed after the cache was made; all where there is none.

        Built-in ones are left out: the loader searches them anyway.
        """
        made = paths.changed(self._root, CACHE) if self._cache is not None else None
        since = -1 if made is None else made
        return [
            folder for folder in self._conf.folders if folder not in self._builtin(64) and self._newer(folder, since)
        ]

    def _newer(self, folder: str, than_ns: int) -> bool:
        try:
            return paths.is_newer(self._root, folder, than_ns)
        except LinkspanError:
            notes.spoil()
            return False

    def _finds_anyway(self, loadables: "Sequence[tuple[str, int]]", ours: "list[Entry]") -> bool:
        """Whether the loader comes to all of ours without our help: in built-in folders, and none found elsewhere."""
        places = {(name, flags): path for name, path, flags, _, _ in ours}
        return all(pathnames.folder(path) in self._builtin(bits) for path, bits in loadables) and all(
            places.get((name, flags), path) == path for name, path, flags, _, _ in self._image
        )

    def _finds_these_anyway(self, ours: "list[Entry]") -> bool:
        wide = ldcache.flags_for(_MACHINES.get((self._arch, 64), 0), 64)
        loadables = [(path, 64 if flags == wide else 32) for _, path, flags, _, _ in ours]
        by_name = all(pathnames.name(path) == name for name, path, _, _, _ in ours)
        return by_name and self._finds_anyway(loadables, ours)

    def _status(self, path: str) -> "os.stat_result | None":
        try:
            return paths.look(self._root, path)
        except LinkspanError:
            notes.spoil()
            return None

    def _write(self, path: str, data: bytes) -> None:
        if paths.content(self._root, path, len(data)) != data:
            paths.write_file(self._root, path, data, owner=self._owner)


def _is_read_only(error: KernelError) -> bool:
    return isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EROFS
