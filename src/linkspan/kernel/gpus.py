"""Shows a container those GPUs in ``/proc/driver/nvidia/gpus`` that it was given (contract 4.5, steps 6 and 7).

There are programs that count GPUs by the folders in there, so it would not do to empty the folders of the others: a
small tmpfs goes over all of them, and those that may be seen are bound into it.
"""

import posix as os

from linkspan.errors import KernelError
from linkspan.kernel import mountid, mounts, params, paths
from linkspan.kernel.walk import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = f"{params.FOLDER}/gpus"

_OPEN = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_HARMLESS = mounts.NOSUID | mounts.NODEV | mounts.NOEXEC
_READ_ONLY = mounts.REMOUNT | mounts.BIND | mounts.RDONLY | _HARMLESS


def show_only(root_fd: int, names: "Sequence[str]") -> None:
    """Hide all GPUs but these below a container's root, in whose mount namespace we are; nothing where no other shows.

    Nothing either where what is mounted there would appear on the host: such a container has been given the host's own.
    Raises KernelError where the kernel refuses, as it does without CAP_SYS_ADMIN in that namespace.
    """
    above = paths.open_parent(root_fd, FOLDER)
    if above is None:
        return
    try:
        _show_only(above, names)
    except OSError as error:
        raise failed("cover", FOLDER, error) from error
    finally:
        os.close(above[0])


def _show_only(above: "tuple[int, str]", names: "Sequence[str]") -> None:
    parent, last = above
    try:
        folder = os.open(last, _OPEN, dir_fd=parent)
    except FileNotFoundError:
        return
    try:
        found = _names(folder)
        if found.difference(names) and not mountid.spreads(folder):
            _cover(above, folder, [name for name in names if name in found])
    finally:
        os.close(folder)


def _names(folder: int) -> "set[str]":
    fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return set(os.listdir(fd))
    finally:
        os.close(fd)


def _cover(above: "tuple[int, str]", folder: int, names: "list[str]") -> None:
    """Once a cover is there it has all these names, or is taken away again: who comes next takes it as it is."""
    mounts.mount("tmpfs", folder, "tmpfs", _HARMLESS, "mode=0755,size=64k")
    cover = _top(*above, folder)
    try:
        for name in names:
            _bind(folder, cover, name)
        mounts.mount(None, cover, None, _READ_ONLY)
    except (OSError, KernelError):
        mounts.unmount(cover)
        raise
    finally:
        os.close(cover)


def _top(parent: int, name: str, below: int) -> int:
    """A descriptor of what is mounted over the folder of that name."""
    fd = os.open(name, _OPEN, dir_fd=parent)
    if os.fstat(fd).st_dev == os.fstat(below).st_dev:
        os.close(fd)
        raise KernelError(f"{FOLDER} went away in the container", subject=FOLDER)
    return fd


def _bind(folder: int, cover: int, name: str) -> None:
    """Bind a folder to a new one of the same name in the cover; the kernel takes flags in a second step only."""
    os.mkdir(name, 0o555, dir_fd=cover)
    source, target = os.open(name, _OPEN, dir_fd=folder), os.open(name, _OPEN, dir_fd=cover)
    try:
        mounts.mount(f"/proc/self/fd/{source}", target, None, mounts.BIND)
        top = _top(cover, name, target)
        try:
            mounts.mount(None, top, None, _READ_ONLY)
        finally:
            os.close(top)
    finally:
        os.close(source)
        os.close(target)
