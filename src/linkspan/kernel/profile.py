"""The NVIDIA application profile that tells EGL which GPUs are this container's (contract 6.6).

Without it EGL goes through every GPU that the driver knows, also those whose nodes the container does not have.
"""

import _stat as stat
import posix as os

from linkspan.kernel import notes, paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from linkspan.kernel.walk import Owner

FOLDER = "/etc/nvidia/nvidia-application-profiles-rc.d"
PATH = f"{FOLDER}/10-container.conf"
MASK_BITS = 64
"""EGLVisibleDGPUDevices is one 64-bit number, a bit for each minor."""
MAX_NODES = 20_000
"""Names in a container's /dev; a privileged one on a large host has some hundred."""


def write(root_fd: int, minors: "Sequence[int]", owner: "Owner" = None) -> None:
    """Write the profile for the GPUs of these minors; nothing without any.

    Nothing either where a minor is 64 or above: the mask cannot name it, and a profile that leaves out a GPU hides it,
    while without one EGL only meets some that it cannot open.
    """
    if not minors or max(minors) >= MASK_BITS:
        return
    data = render(minors)
    os.close(paths.make_folders(root_fd, FOLDER, owner, 0o555))
    if paths.content(root_fd, PATH, len(data)) != data:
        paths.write_file(root_fd, PATH, data, 0o444, owner)


def render(minors: "Sequence[int]") -> bytes:
    """The profile, one line without an end."""
    mask = 0
    for minor in minors:
        mask |= 1 << minor
    profile = f'{{"name":"_container_","settings":["EGLVisibleDGPUDevices",{mask:#x}]}}'
    return f'{{"profiles":[{profile}],"rules":[{{"pattern":[],"profile":"_container_"}}]}}'.encode()


def gpu_minors(root_fd: int) -> "list[int]":
    """The minors of the GPU nodes in a container's /dev, ascending."""
    folder = paths.open_folder(root_fd, "/dev")
    if folder is None:
        return []
    minors = []
    try:
        for name in paths.list_folder(root_fd, "/dev", MAX_NODES) or ():
            if name.startswith("nvidia") and name[6:].isdecimal() and name.isascii():
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                notes.entry("/dev", name, status)
                if stat.S_ISCHR(status.st_mode):
                    minors.append(os.minor(status.st_rdev))
    finally:
        os.close(folder)
    return sorted(minors)
