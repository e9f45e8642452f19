"""Carries mounts and device nodes into a container that has been created and does not run yet.

What is carried is taken hold of on the host first: as a mount of its own, attached nowhere. Then this process goes into
the container's mount namespace and puts it in place there, by descriptors, so that no path of host or container is
resolved twice. Kernels before 5.12 cannot do that; there a mount is made from the host's path, which runtimes that call
hooks before they change the root (runc, crun) still have in that namespace.
"""

import _stat as stat
import errno
import posix as os

from linkspan.errors import KernelError, UnsafePath
from linkspan.kernel import mountid, mounts, paths
from linkspan.kernel.walk import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from linkspan.kernel.walk import Owner

_FLAGS = {"ro": mounts.RDONLY, "nosuid": mounts.NOSUID, "nodev": mounts.NODEV, "noexec": mounts.NOEXEC}
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Freight:
    """One mount on its way: where from, where to, and the descriptor that holds it (-1: only its path is known)."""

    __slots__ = ("destination", "flags", "is_folder", "recursive", "source", "tree")

    def __init__(self, source: str, destination: str, options: "Sequence[str]") -> None:
        self.source = source
        self.destination = destination
        self.recursive = "rbind" in options
        self.flags = sum(_FLAGS.get(option, 0) for option in set(options))
        self.tree = -1
        self.is_folder = stat.S_ISDIR(os.stat(source).st_mode)


def load(entries: "Iterable[dict[str, Any]]") -> "list[Freight]":
    """Take hold of what these entries of ``mounts`` (as in config.json) name on this host.

    Raises KernelError where something is not there.
    """
    freight = []
    for entry in entries:
        try:
            item = Freight(entry["source"], entry["destination"], entry.get("options", ()))
            item.tree = _take(item)
        except OSError as error:
            raise KernelError(f"cannot take {entry['source']}: {error.strerror}", subject=entry["source"]) from None
        freight.append(item)
    return freight


def _take(item: Freight) -> int:
    try:
        return mounts.open_tree(item.source, item.recursive, item.flags)
    except OSError as error:
        if error.errno == errno.ENOSYS:
            return -1
        raise


def unload(root_fd: int, freight: "Iterable[Freight]", owner: "Owner") -> None:
    """Put everything in its place below the root of the container, in whose mount namespace we are.

    A mount point that is missing is made and belongs to ``owner``; what is in its place already is not mounted again.
    Raises KernelError where the kernel refuses, UnsafePath where a mount would appear outside of the container.
    """
    shared = _shared_mounts(root_fd)
    for item in freight:
        folder, name, target = paths.place(root_fd, item.destination, owner)
        try:
            if mountid.of(folder if target < 0 else target) in shared:
                raise UnsafePath(f"{item.destination} lies in a mount that the host shares", subject=item.destination)
            if target < 0:
                target = _make_target(folder, name, item.is_folder, owner)
            if not _is_there(item, target):
                _mount(item, target, (folder, name))
        except OSError as error:
            raise failed("mount", item.destination, error) from error
        finally:
            os.close(folder)
            if target >= 0:
                os.close(target)


def _shared_mounts(root_fd: int) -> "set[bytes]":
    """The mounts of this namespace that share with others; the container's root is made not to be one of them."""
    rows = mountid.rows()
    root = mountid.of(root_fd)
    if root in rows and mountid.is_shared(rows[root]):
        _make_private(root_fd)
    return {number for number, row in rows.items() if number != root and mountid.is_shared(row)}


def _make_private(root_fd: int) -> None:
    try:
        mounts.make_private(root_fd)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise UnsafePath(
            "the container's root lies in a mount that the host shares, and is none itself",
            hint="mount it, or go into a mount namespace of its own first: unshare --mount",
        ) from None


def _is_there(item: Freight, target: int) -> bool:
    if item.tree < 0:
        return False
    found, wanted = os.fstat(target), os.fstat(item.tree)
    return (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)


def _make_target(folder: int, name: str, is_folder: bool, owner: "Owner") -> int:
    if is_folder:
        os.mkdir(name, 0o755, dir_fd=folder)
    else:
        os.close(os.open(name, _NEW_FILE, 0o644, dir_fd=folder))
    if owner is not None:
        os.chown(name, *owner, dir_fd=folder, follow_symlinks=False)
    return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)


def _mount(item: Freight, target: int, above: "tuple[int, str]") -> None:
    if item.tree < 0:
        mounts.bind(item.source, target, above, item.recursive, item.flags)
        return
    mounts.attach(item.tree, target)
    os.close(item.tree)


def make_nodes(root_fd: int, entries: "Iterable[dict[str, Any]]", owner: "Owner") -> None:
    """Make device nodes (entries of ``linux.devices``) in the container; one that is there already stays.

    Raises KernelError where something else stands in a node's place.
    """
    for entry in entries:
        folder, name, found = paths.place(root_fd, entry["path"], owner)
        try:
            if found < 0:
                _make_node(folder, name, entry, owner)
            elif not _is_node(os.fstat(found), entry):
                raise KernelError(f"{entry['path']} in the container is not the device that it should be")
        except OSError as error:
            raise failed("make the device node", entry["path"], error) from error
        finally:
            os.close(folder)
            if found >= 0:
                os.close(found)


_TYPES = {"c": stat.S_IFCHR, "u": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}


def node_mode(entry: "dict[str, Any]") -> int:
    """Type and mode of a node, as mknod(2) takes them."""
    mode: int = entry.get("fileMode", 0o666)
    return _TYPES[entry["type"]] | mode & 0o777


def _make_node(folder: int, name: str, entry: "dict[str, Any]", owner: "Owner") -> None:
    mode = node_mode(entry)
    device = os.makedev(entry.get("major", 0), entry.get("minor", 0))
    os.mknod(name, mode, device, dir_fd=folder)
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        if not _is_node(os.fstat(fd), entry):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))  # its name is another's by now
        os.chmod(f"/proc/self/fd/{fd}", stat.S_IMODE(mode))  # whatever the umask
        uid, gid = owner or (0, 0)
        os.chown(f"/proc/self/fd/{fd}", entry.get("uid", uid), entry.get("gid", gid))
    finally:
        os.close(fd)


def _is_node(found: "os.stat_result", entry: "dict[str, Any]") -> bool:
    same_type = stat.S_IFMT(found.st_mode) == _TYPES[entry["type"]]
    return same_type and found.st_rdev == os.makedev(entry.get("major", 0), entry.get("minor", 0))
