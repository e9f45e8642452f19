"""Hides the GPUs of others in a container's ``/proc/driver/nvidia/gpus`` (contract 4.5, step 7).

The folder has the bus address, model, UUID and firmware of every GPU of the host. A new file system in memory goes over
it, with the folders of the container's own GPUs bound into it, all of it read-only.
"""

import posix as os

from linkspan.errors import KernelError
from linkspan.kernel import mounts, paths
from linkspan.kernel.walk import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FOLDER = "/proc/driver/nvidia/gpus"
MAX_GPUS = 4096

_HARMLESS = mounts.NOSUID | mounts.NODEV | mounts.NOEXEC
_FOLDER_ONLY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def show_only(root_fd: int, names: "Collection[str]") -> None:
    """Leave only the folders of these names in sight below a container's root, in whose mount namespace we are.

    Nothing is done where there are no others. Raises KernelError where the kernel refuses.
    """
    listed = paths.list_folder(root_fd, FOLDER, MAX_GPUS) or ()
    if set(listed) <= set(names):
        return
    folder = paths.open_folder(root_fd, FOLDER)
    if folder is None:
        return  # it went away meanwhile
    kept: dict[str, int] = {}
    try:
        for name in listed:
            if name in names:
                kept[name] = os.open(name, _FOLDER_ONLY, dir_fd=folder)
        mounts.mount("tmpfs", folder, "tmpfs", _HARMLESS, "mode=0555,size=64k")
        _fill(root_fd, kept)
    except OSError as error:
        raise failed("cover", FOLDER, error) from error
    finally:
        for fd in (folder, *kept.values()):
            os.close(fd)


def _fill(root_fd: int, kept: "Mapping[str, int]") -> None:
    cover = paths.open_folder(root_fd, FOLDER)
    if cover is None:
        raise KernelError(f"{FOLDER} went away in the container", subject=FOLDER)
    try:
        for name, fd in kept.items():
            os.mkdir(name, 0o555, dir_fd=cover)
            _bind(f"/proc/self/fd/{fd}", cover, name)
        mounts.mount(None, cover, None, mounts.REMOUNT | mounts.RDONLY | _HARMLESS)
    finally:
        os.close(cover)


def _bind(source: str, cover: int, name: str) -> None:
    """The kernel takes flags of a bind mount in a second step only, through the mount itself."""
    for flags in (mounts.BIND, mounts.REMOUNT | mounts.BIND | mounts.RDONLY | _HARMLESS):
        target = os.open(name, _FOLDER_ONLY, dir_fd=cover)
        try:
            mounts.mount(source if flags == mounts.BIND else None, target, None, flags)
        finally:
            os.close(target)
