"""What hooks of NVIDIA's toolkit do to a root one step at a time (contract 6.2, 6.7), where ours does all at once."""

import _stat as stat
import errno
import posix as os

from linkspan.errors import FormatError, LinkspanError, UnsafePath
from linkspan.formats import pathnames
from linkspan.kernel import paths
from linkspan.kernel.walk import failed, link_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SEPARATOR = "::"


def make_links(root_fd: int, links: "Iterable[str]") -> None:
    """Make links, each given as ``TARGET::LINK``, in their order: one replaces another, or a file, that stands there.

    Raises FormatError on one that cannot be read, KernelError or UnsafePath on one that cannot be made; those before it
    stay.
    """
    for link in dict.fromkeys(links):
        target, separator, place = link.partition(SEPARATOR)
        if not separator or SEPARATOR in place:
            raise FormatError(f"the link {link!r} is not TARGET{SEPARATOR}LINK", subject=link)
        if not target:
            raise FormatError(f"the link {link!r} has no target", subject=link)
        path = pathnames.normal(place)
        _refuse_dangling(root_fd, pathnames.folder(path))
        paths.replace_link(root_fd, target, path)


def _refuse_dangling(root_fd: int, folder: str) -> None:
    """UnsafePath where a folder, or one that it stands in, is a link to nowhere in the root.

    Such a link means a place outside, or one that somebody else is going to make; the toolkit makes no folders there.
    """
    path = ""
    for part in folder.strip("/").split("/"):
        path += f"/{part}"
        if paths.look(root_fd, path) is None:
            if _is_link(root_fd, path):
                raise UnsafePath(f"{path} in the container is a link to nowhere in it", subject=path)
            return


def _is_link(root_fd: int, path: str) -> bool:
    if path == "/":
        return False
    parent = paths.open_parent(root_fd, path)
    if parent is None:
        return False
    try:
        return link_text(*parent) is not None
    finally:
        os.close(parent[0])


def change_modes(root_fd: int, places: "Iterable[str]", mode: int) -> None:
    """Give files and folders these permissions, links followed below the root; what is absent is passed over.

    All are tried before the first error is raised. EPERM is none: a container in a user namespace may own the file.
    """
    first: LinkspanError | None = None
    for place in places:
        try:
            _change_mode(root_fd, place, mode)
        except LinkspanError as error:
            first = first or error
    if first is not None:
        raise first


def _change_mode(root_fd: int, path: str, mode: int) -> None:
    fd = paths.open_beneath(root_fd, path, os.O_PATH)
    if fd is None:
        return
    try:
        if stat.S_IMODE(os.fstat(fd).st_mode) & 0o777 != mode:
            os.chmod(f"/proc/self/fd/{fd}", mode)  # O_PATH knows no fchmod before Linux 6.6
    except OSError as error:
        if error.errno != errno.EPERM:
            raise failed("change the mode of", path, error) from error
    finally:
        os.close(fd)
