"""What stands below the root of a simulated host, as plain entries, and writing it there.

Nothing is written through a symlink that leads out of the root: with ``--onto`` the root holds other people's files.
"""

import os
import posixpath
import stat
from collections.abc import Mapping
from typing import NamedTuple

from linkspan.errors import HostError, KernelError, UnsafePath


class File(NamedTuple):
    """A regular file."""

    data: bytes
    mode: int = 0o644


class Link(NamedTuple):
    """A symlink; ``target`` is its text."""

    target: str


class Node(NamedTuple):
    """A character device node."""

    major: int
    minor: int
    mode: int = 0o666


class Socket(NamedTuple):
    """A socket that nobody listens at."""

    mode: int = 0o666


class Folder(NamedTuple):
    """A folder that has to be there even where it is empty; those above other entries need no mention."""


Entry = File | Link | Node | Socket | Folder
Tree = dict[str, Entry]
"""Entries by their path below the root, which begins with a slash."""


def text(content: str) -> File:
    """A file with this text."""
    return File(content.encode())


def write(root: str, tree: Mapping[str, Entry]) -> None:
    """Write entries, in order, with the folders above them. What is there already is replaced, folders excepted.

    KernelError and HostError name the path.
    """
    for path, entry in tree.items():
        place = inside(root, path)
        try:
            os.makedirs(posixpath.dirname(place), exist_ok=True)
            if isinstance(entry, Folder):
                os.makedirs(place, exist_ok=True)
            else:
                if os.path.lexists(place):
                    os.unlink(place)
                _make(place, entry)
        except OSError as error:
            raise _explain(place, entry, error) from error


def inside(root: str, path: str) -> str:
    """Where a path below the root is on this machine; UnsafePath if a symlink leads its folder out of the root."""
    parent = os.path.realpath(root + posixpath.dirname(path))
    base = os.path.realpath(root)
    if parent != base and not parent.startswith(base.rstrip("/") + "/"):
        raise UnsafePath(f"{path} leads out of {root}, to {parent}", subject=root + path)
    return posixpath.join(parent, posixpath.basename(path))


def _make(place: str, entry: File | Link | Node | Socket) -> None:
    match entry:
        case Link(target):
            os.symlink(target, place)
            return
        case File(data):
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "wb") as file:
                file.write(data)
        case Node(major, minor):
            os.mknod(place, stat.S_IFCHR | 0o600, os.makedev(major, minor))
        case Socket():
            os.mknod(place, stat.S_IFSOCK | 0o600)
    os.chmod(place, entry.mode)  # whatever the umask says


def _explain(place: str, entry: Entry, error: OSError) -> HostError | KernelError:
    if isinstance(entry, Node) and isinstance(error, PermissionError):
        hint = "a simulated host has real device nodes: run as root, in a container with --cap-add MKNOD"
        return HostError(f"no permission to make the device node {place}", hint=hint, subject=place)
    return KernelError(f"cannot write {place}: {error.strerror}", subject=place)
