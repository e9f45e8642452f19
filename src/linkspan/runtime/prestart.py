"""The prestart hook: gives a container its GPUs once it has been created, before it runs (contract 3).

Docker up to 28 does ``--gpus`` this way: the request is in the container's environment, and a program of the name
``nvidia-container-runtime-hook`` is its prestart hook. The edits are those of every other path, found or made in the
same way; only here they are carried into a container that is there already, and not into its config.json. What a
process already has cannot be given any more: variables and groups.
"""

import posix as os

from linkspan.errors import FormatError
from linkspan.formats import goflags, state
from linkspan.kernel import cgroup
from linkspan.runtime import created, ending, given, keep, lookup
from linkspan.runtime.carrier import Carrier
from linkspan.runtime.lookup import Setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from linkspan.kernel.carry import Freight
    from linkspan.runtime.lookup import Found

PROGRAM = "nvidia-container-runtime-hook"
USAGE = f"usage: {PROGRAM} [-config FILE] [-debug] [-version] prestart | poststart | poststop\n"
_FLAGS = {"config": "FILE", "debug": "", "version": ""}


def main(setup: Setup, version: str, argv: "list[str]") -> "NoReturn":
    """Run the hook with the arguments after the program's name; exits 0, 1, or 2 on a call that it does not know."""
    debug = lookup.variable("LINKSPAN_DEBUG") == "1"  # its environment is the engine's
    ending.end_with(lambda: _run(setup, version, argv), PROGRAM, debug=debug)


def _run(setup: Setup, version: str, argv: "list[str]") -> int:
    try:
        options, words = goflags.parse(argv, _FLAGS, until_word=True)
    except FormatError:
        options, words = {"version": False}, []
    command = words[0] if words else ""
    if options["version"]:
        os.write(1, f"{PROGRAM} version {version}\n".encode())
        return 0
    if command == "prestart":
        _prestart(setup, options["config"] or lookup.config_path())
        return 0
    if command in ("poststart", "poststop"):
        return 0
    os.write(2, USAGE.encode())
    return 2


def _prestart(setup: Setup, config_path: str) -> None:
    container = given.read_state()
    bundle = given.bundle_of(container)
    data = given.read_config(f"{bundle}/config.json")
    spec = given.parse_config(data)
    found = lookup.find(setup, state.HOOK, config_path, spec, data)
    edits = found.edits
    if not edits.keys() & {"devices", "mounts", "prepare"}:
        return
    pid = container.get("pid")
    if type(pid) is not int or pid < 1:
        raise FormatError("the container's state names no process", hint="this hook is one for prestart")
    process = created.open_process(pid)
    try:
        root_fd = created.open_root(process, given.root_of(bundle, spec))
        _Carrier(setup, found, spec, process, root_fd).carry()
    finally:
        os.close(process)


class _Carrier(Carrier):
    """What is carried is also kept for the launcher, which then does the same without Python."""

    def __init__(self, setup: Setup, found: "Found", spec: "dict[str, Any]", process: int, root_fd: int) -> None:
        self._setup = setup
        self._found = found
        namespaces = (spec.get("linux") or {}).get("namespaces") or ()
        # A rootless engine's containers are in its own user namespace, which their configuration does not name.
        is_mapped = not cgroup.are_ours() or any(entry.get("type") == "user" for entry in namespaces)
        owner = given.root_owner(spec) or created.owner_of(process)
        super().__init__(found.edits, process, root_fd, owner, binds_nodes=is_mapped)

    def loaded(self, freight: "Sequence[Freight]") -> None:
        """Containers with a user namespace are not for the launcher."""
        is_for_launcher = not self.binds_nodes and self.owner == (os.geteuid(), os.getegid())
        if is_for_launcher and not self._found.switches["log"]:
            keep.keep_carry(self._setup.state, self._found, freight)

    def prepare(self, work: "dict[str, Any]") -> None:
        """See ``Carrier``."""
        keep.prepare_root(self._setup.state, self.root_fd, work, self.owner, keep.carry_work(work))
