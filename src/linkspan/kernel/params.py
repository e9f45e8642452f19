"""Tells the driver's libraries in a container to leave device nodes alone (contract 6.5).

``ModifyDeviceFiles: 1`` in ``/proc/driver/nvidia/params`` has NVML and nvidia-smi make the node of every GPU that the
driver knows, also of those that a container was not given. So the container sees a copy that says 0, bound over it.
"""

import os

from linkspan.errors import KernelError
from linkspan.kernel import paths
from linkspan.kernel.walk import failed

FOLDER = "/proc/driver/nvidia"
PATH = f"{FOLDER}/params"
MAX_PARAMS = 64 << 10
"""Bytes; the file has about one thousand."""

# linux/mount.h
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND = 1, 2, 4, 8, 32, 4096
_DETACH = 2
_HARMLESS = _NOSUID | _NODEV | _NOEXEC


def masked(text: bytes) -> "bytes | None":
    """The params with device nodes left alone; None where they are already, or where nothing is said of them."""
    lines = text.split(b"\n")
    if b"ModifyDeviceFiles: 1" not in lines:
        return None
    return b"\n".join(b"ModifyDeviceFiles: 0" if line == b"ModifyDeviceFiles: 1" else line for line in lines)


def mask_params(root_fd: int) -> None:
    """Cover the params below a container's root, in whose mount namespace we are; nothing where there are none.

    Raises KernelError where the kernel refuses, as it does without CAP_SYS_ADMIN in that namespace.
    """
    text = paths.content(root_fd, PATH, MAX_PARAMS)
    data = masked(text) if text else None
    if data is None:
        return
    folder = paths.open_folder(root_fd, FOLDER)
    target = paths.open_beneath(root_fd, PATH, os.O_PATH)
    try:
        if folder is not None and target is not None:
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
    _mount("tmpfs", folder, "tmpfs", _HARMLESS, "mode=0755,size=64k")
    cover = paths.open_folder(root_fd, FOLDER)
    if cover is None:
        raise KernelError(f"{FOLDER} went away in the container", subject=FOLDER)
    try:
        source = _new_file(cover, data)
        try:
            _mount(f"/proc/self/fd/{source}", target, None, _BIND)
        finally:
            os.close(source)
    finally:
        _unmount(cover)
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
        _mount(None, fd, None, _REMOUNT | _BIND | _RDONLY | _HARMLESS)
    finally:
        os.close(fd)


def _mount(source: "str | None", target: int, kind: "str | None", flags: int, options: str = "") -> None:
    place = f"/proc/self/fd/{target}".encode()
    arguments = [None if text is None else text.encode() for text in (source, kind)]
    _call("mount", arguments[0], place, arguments[1], flags, options.encode() or None)


def _unmount(target: int) -> None:
    _call("umount2", f"/proc/self/fd/{target}".encode(), _DETACH)


def _call(name: str, *arguments: "bytes | int | None") -> None:
    import ctypes  # costs 2 ms, which most starts need not pay

    libc = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in arguments]
    if libc[name](*values) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
