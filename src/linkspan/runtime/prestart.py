"""The prestart hook: gives a container its GPUs once it has been created, before it runs (contract 3).

Docker up to 28 does ``--gpus`` this way: the request is in the container's environment, and a program of the name
``nvidia-container-runtime-hook`` is its prestart hook. The edits are those of every other path, found or made in the
same way; only here they are carried into a container that is there already, and not into its config.json. What a
process already has cannot be given any more: variables and groups.
"""

import posix as os

from linkspan.errors import FormatError, KernelError
from linkspan.formats import goflags, oci, state
from linkspan.kernel import carry, cgroup, mounts, params, paths, stamps
from linkspan.runtime import ending, given, keep, lookup
from linkspan.runtime.lookup import Setup

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    created = given.read_state()
    bundle = given.bundle_of(created)
    data = given.read_config(f"{bundle}/config.json")
    spec = given.parse_config(data)
    found = lookup.find(setup, state.HOOK, config_path, spec, data)
    edits = found.edits
    if not edits.keys() & {"devices", "mounts", "prepare"}:
        return
    pid = created.get("pid")
    if type(pid) is not int or pid < 1:
        raise FormatError("the container's state names no process", hint="this hook is one for prestart")
    process = _open_process(pid)
    try:
        _Carrier(setup, found, spec, process, given.root_of(bundle, spec)).carry()
    finally:
        os.close(process)


class _Carrier:
    """One container, and what it is given."""

    __slots__ = ("_edits", "_found", "_is_mapped", "_owner", "_process", "_root", "_setup")

    def __init__(self, setup: Setup, found: "Found", spec: "dict[str, Any]", process: int, root: str) -> None:
        self._setup = setup
        self._found = found
        self._edits = found.edits
        self._process = process
        self._root = root
        self._owner = given.root_owner(spec) or _owner_of(process)
        namespaces = (spec.get("linux") or {}).get("namespaces") or ()
        # A rootless engine's containers are in its own user namespace, which their configuration does not name.
        self._is_mapped = not cgroup.are_ours() or any(entry.get("type") == "user" for entry in namespaces)

    def carry(self) -> None:
        """Everything of the host is taken hold of first; the container's mounts are entered last, only to mount."""
        edits = self._edits
        freight = carry.load([*edits.get("mounts", ()), *self._bound_nodes()])
        devices = cgroup.Devices(self._process) if edits.get("rules") and cgroup.are_ours() else None
        root_fd = _open_root(self._process, self._root)
        owner = None if self._owner == (os.geteuid(), os.getegid()) else self._owner
        if owner is None:
            self._keep(freight)
        else:
            _act_as(*owner)
        if "prepare" in edits:
            name = keep.carry_work(edits["prepare"])
            keep.prepare_root(self._setup.state, root_fd, edits["prepare"], self._owner, name)
        if not self._is_mapped:
            carry.make_nodes(root_fd, edits.get("devices", ()), owner)
        masks = edits.get("mask_params") and stamps.exists(oci.PARAMS)
        with _Inside(self._process):
            carry.unload(root_fd, freight, owner)
            if masks:
                params.mask_params(root_fd)
        if devices is not None:
            devices.allow(edits["rules"])

    def _bound_nodes(self) -> "list[dict[str, Any]]":
        """In a user namespace no node that is made can be opened: there the host's are bound, as runtimes do it."""
        if not self._is_mapped:
            return []
        places = [entry["path"] for entry in self._edits.get("devices", ())]
        return [{"source": path, "destination": path, "options": ["bind", "nosuid", "noexec"]} for path in places]

    def _keep(self, freight: "list[Freight]") -> None:
        """Leave the launcher what is carried. Containers with a user namespace are not for it."""
        if not self._is_mapped and not self._found.switches["log"]:
            keep.keep_carry(self._setup.state, self._found, freight)


def _open_process(pid: int) -> int:
    """A descriptor of a process's folder in /proc: whatever is asked of it later is asked of this process."""
    try:
        return os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise KernelError(f"the container's process {pid} is not there: {error.strerror}", subject=str(pid)) from None


def _owner_of(process: int) -> "tuple[int, int]":
    """The ids of a process that is root in its own user namespace, whoever made that."""
    status = os.fstat(process)
    return status.st_uid, status.st_gid


def _open_root(process: int, root: str) -> int:
    """A descriptor of the container's root, in the container's mounts.

    Runtimes call prestart hooks before they change the root, so it is at the same path there as here, below the same
    root. Both have to be the very folders that they are for us: a process whose root is another one already is none
    that waits for its prestart hooks.
    """
    top = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
    try:
        if _identity(os.fstat(top)) != _identity(os.stat("/")):
            raise KernelError("the container's process has another root already", hint="this hook is one for prestart")
        fd = paths.open_folder(top, root)
    finally:
        os.close(top)
    if fd is None or _identity(os.fstat(fd)) != _identity(_stat(root)):
        raise KernelError(f"the container's root {root} is another one in its own mounts", subject=root)
    if _identity(os.fstat(fd)) == _identity(os.stat("/")):
        raise KernelError(f"the container's root {root} is the root of this host", subject=root)
    return fd


def _stat(path: str) -> "os.stat_result":
    try:
        return os.stat(path)
    except OSError as error:
        raise KernelError(f"cannot find the container's root {path}: {error.strerror}", subject=path) from None


def _identity(status: "os.stat_result") -> "tuple[int, int]":
    return status.st_dev, status.st_ino


def _act_as(uid: int, gid: int) -> None:
    from linkspan.kernel import identity  # most containers are root's

    try:
        identity.act_as(uid, gid)
    except OSError as error:
        raise KernelError(f"cannot make files as user {uid}: {error.strerror}", subject=str(uid)) from None


class _Inside:
    """Within: the container's mount namespace, at the root of its process; behind it, our own again."""

    __slots__ = ("_home", "_process", "_top")

    def __init__(self, process: int) -> None:
        self._process = process
        self._home = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        self._top = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> None:
        try:
            theirs = os.open("ns/mnt", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._process)
            root = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._process)
            if _identity(os.fstat(theirs)) == _identity(os.fstat(self._home)):
                raise KernelError("the container has no mounts of its own", hint="give it a mount namespace")
            _stand(theirs, root)
            os.close(theirs)
            os.close(root)
        except OSError as error:
            raise KernelError(f"cannot enter the container's mounts: {error.strerror}") from None

    def __exit__(self, *_: object) -> None:
        _stand(self._home, self._top)


def _stand(namespace: int, root: int) -> None:
    """Go into a mount namespace, which puts us at its own root, and from there to the root that is wanted."""
    mounts.enter(namespace)
    os.fchdir(root)
    os.chroot(".")
