"""Tells the driver's libraries in a container to leave device nodes alone (contract 6.5).

``ModifyDeviceFiles: 1`` in ``/proc/driver/nvidia/params`` has NVML and nvidia-smi make the node of every GPU that the
driver knows, also of those that a container was not given. So the container sees a copy that says 0, bound over it.
"""

import posix as os

from linkspan.errors import KernelError
from linkspan.kernel import mountid, mounts, paths
from linkspan.kernel.walk import failed

FOLDER = "/proc/driver/nvidia"
PATH = f"{FOLDER}/params"
MAX_PARAMS = 64 << 10
"""Bytes; the file has about one thousand."""

_HARMLESS = mounts.NOSUID | mounts.NODEV | mounts.NOEXEC


def masked(text: bytes) -> "bytes | None":
    """The params with device nodes left alone; None where they are already, or where nothing is said of them."""
    lines = text.split(b"\n")
    if b"ModifyDeviceFiles: 1" not in lines:
        return None
    return b"\n".join(b"ModifyDeviceFiles: 0" if line == b"ModifyDeviceFiles: 1" else line for line in lines)


def mask_params(root_fd: int) -> None:
    """Cover the params below a container's root, in whose mount namespace we are; nothing where there are none.

    Nor where the cover would appear on the host, whose own /proc such a container has been given. Raises KernelError
    where the kernel refuses, as it does without CAP_SYS_ADMIN in that namespace.
    """
    text = paths.content(root_fd, PATH, MAX_PARAMS)
    data = masked(text) if text else None
    if data is None:
        return
    folder = paths.open_folder(root_fd, FOLDER)
    target = paths.open_beneath(root_fd, PATH, os.O_PATH)
    try:
        if folder is not None and target is not None and not mountid.spreads(folder):
            _cover(root_fd, folder, target, data)
    except OSError as error:
        raise failed("cover", PATH, error) from error
    finally:
        for fd in (folder, target):
            if fd is not None:
                os.close(fd)


def _cover(root_fd: int, folder: int, target: int, data: bytes) -> None:
    """Bind a file of a new tmpfs over ``target``, which stands in ``folder``.

    A tmpfs has to be mounted somewhere, and nothing of it should be left in the container. So it goes over the params'
    own folder, and away again once its file is bound to the params underneath, which keeps the file alive.
    """
    mounts.mount("tmpfs", folder, "tmpfs", _HARMLESS, "mode=0755,size=64k")
    cover = paths.open_folder(root_fd, FOLDER)
    if cover is None:
        raise KernelError(f"{FOLDER} went away in the container", subject=FOLDER)
    try:
        source = _new_file(cover, data)
        try:
            mounts.mount(f"/proc/self/fd/{source}", target, None, mounts.BIND)
        finally:
            os.close(source)
    finally:
        mounts.unmount(cover)
        os.close(cover)
    _make_read_only(root_fd)


def _new_file(folder: int, data: bytes) -> int:
    """An ``O_PATH`` descriptor of a new file with this content."""
    fd = os.open("params", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444, dir_fd=folder)
    try:
        os.write(fd, data)
        os.fchmod(fd, 0o444)  # whatever the umask
    finally:
        os.close(fd)
    return os.open("params", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)


def _make_read_only(root_fd: int) -> None:
    """The kernel takes flags of a bind mount in a second step only."""
    fd = paths.open_beneath(root_fd, PATH, os.O_PATH)
    if fd is None:
        raise KernelError(f"{PATH} went away in the container", subject=PATH)
    try:
        mounts.mount(None, fd, None, mounts.REMOUNT | mounts.BIND | mounts.RDONLY | _HARMLESS)
    finally:
        os.close(fd)
