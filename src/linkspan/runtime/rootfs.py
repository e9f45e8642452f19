"""Prepares a container's root filesystem before the low-level runtime starts, so that no hook has to.

At ``create`` the engine has mounted the root filesystem and nobody runs in it yet. What we would write from a hook
(links, the loader's cache, the application profile) can be written now, in no extra process. It cannot where a mount
of the container will cover what we write, or where the root filesystem cannot be written from here: then the hook
does it, inside the container's own mounts.
"""

import posix as os

from linkspan.errors import KernelError
from linkspan.formats import pathnames
from linkspan.kernel import paths
from linkspan.runtime import given, keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WRITTEN_IN_ETC = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/nvidia/nvidia-application-profiles-rc.d",
    *(f"/etc/ld-musl-{arch}.path" for arch in ("x86_64", "i386", "aarch64", "armhf")),
)


def prepare_root(spec: "dict[str, Any]", bundle: str, work: "dict[str, Any]", state: str) -> bool:
    """Do the work in the container's root; False where a hook has to do it. How it was done is kept in ``state``.

    Raises UnsafePath where the image tries to lead us out of its root.
    """
    owner = given.root_owner(spec)
    if owner is None or _is_covered(spec, work):
        return False
    try:
        root_fd = paths.open_root(pathnames.join(bundle, (spec.get("root") or {}).get("path") or "rootfs"))
    except KernelError:
        return False
    try:
        keep.prepare_root(state, root_fd, work, owner, keep.wrapper_work(work))
    except KernelError:
        return False
    finally:
        os.close(root_fd)
    return True


def written(work: "dict[str, Any]") -> "list[str]":
    """The folders and files that the work writes to, as far as a mount may cover them."""
    return [*dict.fromkeys((*WRITTEN_IN_ETC, *(pathnames.folder(link[1]) for link in work.get("links", ()))))]


def _is_covered(spec: "dict[str, Any]", work: "dict[str, Any]") -> bool:
    paths_written = written(work)
    return any(pathnames.covers(entry.get("destination") or "", paths_written) for entry in spec.get("mounts") or ())
