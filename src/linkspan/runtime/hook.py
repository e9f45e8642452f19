"""The one hook: does inside a container's mounts what could not be done before the low-level runtime started.

Run at ``createContainer`` (contract 6.1): the container's mount namespace, before its root becomes the root. The host's
files are still visible, so Python and this package are too. The container's state comes on standard input. What is
trusted is the engine's bundle and our own arguments; everything below the root is a stranger's.
"""

import posix as os

from linkspan.errors import FormatError
from linkspan.formats import hookargs, oci
from linkspan.kernel import prepare, stamps
from linkspan.runtime import container, ending, given, keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

PROGRAM = "linkspan-hook"


def main(folder: str, argv: "list[str]") -> "NoReturn":
    """Run the hook with the state folder and the arguments after the program's name; exits 0 or 1."""
    ending.end_with(lambda: _run(folder, argv), PROGRAM)


def _run(folder: str, argv: "list[str]") -> int:
    if not argv or argv[0] != hookargs.VERB:
        raise FormatError(
            f"the first argument is {argv[0] if argv else 'missing'}, not {hookargs.VERB}",
            hint="this program is started by a container runtime, from an entry that linkspan wrote",
        )
    work = hookargs.parse(argv[1:], os.uname().machine)
    root_fd = container.open_root(given.read_state())
    try:
        _work(folder, root_fd, work, keep.hook_work(argv[1:]))
    finally:
        os.close(root_fd)
    return 0


def _work(folder: str, root_fd: int, work: "dict[str, Any]", name: str) -> None:
    masks = work.pop("mask_params", False)
    if container.is_read_only(root_fd):
        _prepare_read_only(root_fd, work)
    else:
        keep.prepare_root(folder, root_fd, work, (os.geteuid(), os.getegid()), name)
    if masks and stamps.exists(oci.PARAMS):
        from linkspan.kernel import params  # brings ctypes, which costs 2 ms

        params.mask_params(root_fd)


def _prepare_read_only(root_fd: int, work: "dict[str, Any]") -> None:
    fd = container.open_writable(root_fd)
    try:
        prepare.prepare(fd, work, (os.geteuid(), os.getegid()))
    finally:
        os.close(fd)


if __name__ == "__main__":
    import sys

    from linkspan.formats import state

    main(state.FOLDER, sys.argv[1:])
