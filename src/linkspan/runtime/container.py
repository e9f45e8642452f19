"""The container that a ``createContainer`` hook runs for: its root, as seen from its mount namespace."""

import posix as os

from linkspan.errors import ConfigError
from linkspan.formats import pathnames
from linkspan.kernel import paths
from linkspan.runtime import given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def open_root(state: "dict[str, Any]") -> int:
    """A descriptor of the root; where the bundle is not for us to read, it is found by where we stand."""
    try:
        return paths.open_root(_path(state))
    except ConfigError:
        from linkspan.kernel import standing  # in user namespaces only

        root_fd = standing.open_root()
        if root_fd is None:
            raise
        return root_fd


def is_read_only(root_fd: int) -> bool:
    """Whether the root cannot be written through its own descriptor: crun has made it read-only already."""
    return bool(os.fstatvfs(root_fd).f_flag & os.ST_RDONLY)


def open_writable(root_fd: int) -> int:
    """A new descriptor to write through, also below a root that is read-only for its container."""
    if not is_read_only(root_fd):
        return os.dup(root_fd)
    from linkspan.kernel import writable  # brings ctypes

    return writable.open_root(root_fd)


def _path(state: "dict[str, Any]") -> str:
    """The root's path: crun says it in the state; otherwise it stands in the bundle's config.json."""
    bundle = given.bundle_of(state)
    if root := state.get("root"):
        return pathnames.join(bundle, str(root))
    return given.root_of(bundle, given.parse_config(given.read_config(f"{bundle}/config.json")))
