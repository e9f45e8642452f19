"""Shows a container the folders in ``/proc/driver/nvidia/gpus`` of its own GPUs alone (contract 4.5, steps 6 and 7).

A tmpfs covers them all, and those that the container was given are bound into it, each by a descriptor that was taken
before. Nothing is mounted where all that there are may be seen.
"""

import posix as os

from linkspan.errors import UnsafePath
from linkspan.kernel import mountid, mounts, paths
from linkspan.kernel.walk import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

PATH = "/proc/driver/nvidia/gpus"
MAX_GPUS = 4096
"""More than a host can have; the folder is the kernel's own, in a container that may have something else there."""

_FLAGS = mounts.NOSUID | mounts.NODEV | mounts.NOEXEC
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def show_only(root_fd: int, names: "Collection[str]") -> None:
    """Hide the folders of other names below a container's root, in whose mount namespace we are.

    Raises KernelError where the kernel refuses, UnsafePath where the container shares its ``/proc`` with the host.
    """
    there = paths.list_folder(root_fd, PATH, MAX_GPUS) or []
    if all(name in names for name in there):
        return
    folder = paths.open_folder(root_fd, PATH)
    if folder is None:
        return
    kept: dict[str, int] = {}
    try:
        if mountid.is_shared(mountid.rows()[mountid.of(folder)]):
            raise UnsafePath(f"{PATH} lies in a mount that the host shares", subject=PATH)
        kept.update((name, os.open(name, _FOLDER, dir_fd=folder)) for name in there if name in names)
        _cover(root_fd, folder, kept.items())
    except OSError as error:
        raise failed("cover", PATH, error) from error
    finally:
        for fd in (folder, *kept.values()):
            os.close(fd)


def _cover(root_fd: int, folder: int, kept: "Iterable[tuple[str, int]]") -> None:
    """A failure halfway leaves no mount behind."""
    mounts.mount("tmpfs", folder, "tmpfs", _FLAGS, "mode=0555,size=64k")
    cover = paths.open_folder(root_fd, PATH)
    if cover is None:
        raise UnsafePath(f"{PATH} went away in the container", subject=PATH)
    try:
        for name, fd in kept:
            os.mkdir(name, 0o555, dir_fd=cover)
            _bind(fd, cover, name)
        mounts.mount(None, cover, None, mounts.REMOUNT | mounts.BIND | mounts.RDONLY | _FLAGS)
    except OSError:
        mounts.unmount(cover)
        raise
    finally:
        os.close(cover)


def _bind(source: int, cover: int, name: str) -> None:
    """Bind a folder read-only; the kernel takes the flags of a bind mount in a second step only."""
    for origin, flags in ((f"/proc/self/fd/{source}", 0), (None, mounts.REMOUNT | mounts.RDONLY | _FLAGS)):
        place = os.open(name, _FOLDER, dir_fd=cover)
        try:
            mounts.mount(origin, place, None, mounts.BIND | flags)
        finally:
            os.close(place)
