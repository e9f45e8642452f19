"""The one hook: does inside a container's mounts what could not be done before the low-level runtime started.

Run at ``createContainer`` (contract 6.1): the container's mount namespace, before its root becomes the root. The host's
files are still visible, so Python and this package are too. The container's state comes on standard input. What is
trusted is the engine's bundle and our own arguments; everything below the root is a stranger's.
"""

import posix as os

from linkspan.errors import ConfigError, FormatError, LinkspanError
from linkspan.formats import hookargs, oci, pathnames
from linkspan.kernel import paths, prepare, stamps
from linkspan.runtime import given, keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

PROGRAM = "linkspan-hook"


def main(folder: str, argv: "list[str]") -> "NoReturn":
    """Run the hook with the state folder and the arguments after the program's name; exits 0 or 1."""
    try:
        _run(folder, argv)
    except Exception as error:  # whatever it is: the engine shows one line of it, and a traceback has many
        _fail(error)
    # There is nothing to flush, and tidying up the interpreter takes another millisecond.
    os._exit(0)


def _fail(error: Exception) -> "NoReturn":
    from linkspan.runtime import report  # most runs have nothing to report

    report.failure(error if isinstance(error, LinkspanError) else report.unforeseen(error), program=PROGRAM)
    os._exit(1)


def _run(folder: str, argv: "list[str]") -> None:
    if not argv or argv[0] != hookargs.VERB:
        raise FormatError(
            f"the first argument is {argv[0] if argv else 'missing'}, not {hookargs.VERB}",
            hint="this program is started by a container runtime, from an entry that linkspan wrote",
        )
    work = hookargs.parse(argv[1:], os.uname().machine)
    root_fd = _open_root(given.read_state())
    try:
        _work(folder, root_fd, work, keep.hook_work(argv[1:]))
    finally:
        os.close(root_fd)


def _work(folder: str, root_fd: int, work: "dict[str, Any]", name: str) -> None:
    masks = work.pop("mask_params", False)
    if os.fstatvfs(root_fd).f_flag & os.ST_RDONLY:
        _prepare_read_only(root_fd, work)
    else:
        keep.prepare_root(folder, root_fd, work, (os.geteuid(), os.getegid()), name)
    if masks and stamps.exists(oci.PARAMS):
        from linkspan.kernel import params  # brings ctypes, which costs 2 ms

        params.mask_params(root_fd)


def _prepare_read_only(root_fd: int, work: "dict[str, Any]") -> None:
    from linkspan.kernel import writable  # brings ctypes

    fd = writable.open_root(root_fd)
    try:
        prepare.prepare(fd, work, (os.geteuid(), os.getegid()))
    finally:
        os.close(fd)


def _open_root(state: "dict[str, Any]") -> int:
    """The container's root; where the bundle is not for us to read, by where we stand."""
    try:
        return paths.open_root(_container_root(state))
    except ConfigError:
        from linkspan.kernel import standing  # in user namespaces only

        root_fd = standing.open_root()
        if root_fd is None:
            raise
        return root_fd


def _container_root(state: "dict[str, Any]") -> str:
    """The root's path: crun says it in the state; otherwise it stands in the bundle's config.json."""
    bundle = given.bundle_of(state)
    if root := state.get("root"):
        return pathnames.join(bundle, str(root))
    return given.root_of(bundle, given.parse_config(given.read_config(f"{bundle}/config.json")))


if __name__ == "__main__":
    import sys

    from linkspan.formats import state

    main(state.FOLDER, sys.argv[1:])
