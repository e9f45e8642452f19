"""Prepares a container's root filesystem for what is carried across: links, loader, application profile.

Runs in the wrapper before the low-level runtime starts, or in the hook inside the container's mounts; the work is the
same (``emit.operations`` writes it). Only what is missing is written, so a second run changes nothing.
"""

import posix as os

from linkspan.kernel import loader, paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from linkspan.kernel.walk import Owner


def prepare(root_fd: int, work: "dict[str, Any]", owner: "tuple[int, int]" = (0, 0)) -> None:
    """Do the work below ``root_fd``; what is created belongs to ``owner`` (uid, gid).

    ``work`` has ``arch`` (``os.uname().machine``) and, each only where it applies:

    - ``links``: pairs of a link's text and its path;
    - ``loadables``: pairs of a library's path and its bits, 32 or 64, that the container's loader has to find;
    - ``compat``: ``driver``, ``cuda`` (versions of the host, may be empty) and ``root`` (a folder of the image, may be
      empty), by which the image's CUDA compatibility libraries are judged;
    - ``profile``: the minors of the container's GPUs, or True for those whose nodes are in its ``/dev``.

    Raises KernelError where something needed cannot be written, UnsafePath where a path cannot be followed in bounds.
    """
    mine = None if owner == (os.geteuid(), os.getegid()) else owner
    _make_links(root_fd, work.get("links", ()), mine)
    if work.get("profile"):
        from linkspan.kernel import profile  # only graphics asks for it

        minors = profile.gpu_minors(root_fd) if work["profile"] is True else work["profile"]
        profile.write(root_fd, minors, mine)
    compat = ""
    if work.get("compat"):
        from linkspan.kernel.compat import usable_folder  # only compute asks for it

        compat = usable_folder(root_fd, **work["compat"])
    if compat or work.get("loadables"):
        loader.update(root_fd, work["arch"], work.get("loadables", ()), compat, mine)


def _make_links(root_fd: int, links: "Sequence[tuple[str, str]]", owner: "Owner") -> None:
    """Make all the links; a folder that several go to is walked to once."""
    folders: dict[str, int] = {}
    try:
        for target, path in links:
            parent, _ = paths.split(path)
            if parent not in folders:
                folders[parent] = paths.make_folders(root_fd, parent, owner)
            paths.replace_link_in(folders[parent], target, path, owner)
    finally:
        for fd in folders.values():
            os.close(fd)
