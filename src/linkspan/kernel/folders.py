"""The libraries in folders that an engine has mounted a driver into, where nobody names them one by one.

Our own specs name each library of the driver. Those that NVIDIA's toolkit wrote name folders, in which the image keeps
libraries too; ldconfig then finds them all (contract 6.3). What comes from the host is told apart by being on another
mount than the container's root: it goes before the image's, whose own order is not ours to change.
"""

import posix as os

from linkspan.errors import KernelError
from linkspan.formats import pathnames
from linkspan.kernel import mountid, paths
from linkspan.kernel.libraries import Scanner, is_library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from linkspan.formats.ldcache import Entry
    from linkspan.kernel.walk import Owner

MAX_LIBRARIES = 10_000
"""Files opened; a desktop has some 3000 in one folder, and none of the driver's may be left out for them."""


def collect(
    root_fd: int, folders: "Iterable[str]", flags: "Container[int]", owner: "Owner" = None
) -> "tuple[list[Entry], list[Entry]]":
    """The entries for the libraries with such flags in these folders: those from the host, and the image's own.

    As ldconfig does, a link of the SONAME is made for a library that has none; musl finds a library by nothing else.
    """
    scanner = Scanner(root_fd, MAX_LIBRARIES)
    root_mount = mountid.of(root_fd)
    mounted: list[Entry] = []
    others: list[Entry] = []
    for found in (entry for folder in folders for entry in scanner.scan(folder) if entry[2] in flags):
        entry = _linked(root_fd, found, owner)
        (mounted if _mount_of(root_fd, entry[1]) != root_mount else others).append(entry)
    return mounted, others


def _linked(root_fd: int, entry: "Entry", owner: "Owner") -> "Entry":
    name, path, *rest = entry
    link = f"{pathnames.folder(path)}/{name}"
    # A SONAME is text of a stranger's file, and may be anything.
    if path == link or "/" in name or not is_library(name) or paths.look(root_fd, link) is not None:
        return entry
    try:
        paths.replace_link(root_fd, pathnames.name(path), link, owner)
    except KernelError:
        return entry  # glibc's cache leads to the file itself, too
    flags, osversion, hwcap = rest
    return name, link, flags, osversion, hwcap


def _mount_of(root_fd: int, path: str) -> bytes:
    fd = paths.open_beneath(root_fd, path, os.O_PATH)
    if fd is None:
        return mountid.of(root_fd)  # it went away meanwhile
    try:
        return mountid.of(fd)
    finally:
        os.close(fd)
