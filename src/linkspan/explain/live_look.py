"""One look at a process that is becoming a container: what has been brought across so far.

A container's start lasts a few dozen milliseconds. Until the low-level runtime has changed the root, what is mounted
for the container is seen below the path of its root filesystem, among all mounts of the host; after that, from the root
itself. So a mount is known here by the end of its path, and files are only looked at once the root is not ours.
"""

import os
from collections.abc import Iterable
from typing import NamedTuple

from linkspan.check.pieces import part_by_name
from linkspan.errors import FormatError, LinkspanError
from linkspan.formats import cgroups, ldcache, procfs
from linkspan.kernel import paths

RUNTIMES = frozenset({"runc", "crun", "youki", "runsc", "linkspan-runtime", "nvidia-container-runtime"})
_NO_PROGRAMS = RUNTIMES | {""}
CACHE_LIMIT, ENVIRON_LIMIT = 4 << 20, 1 << 20
_CUDA, _NVML = "libcuda.so.1", "libnvidia-ml.so.1"


class Seen(NamedTuple):
    """What was seen.

    ``program`` is empty until the container's own program runs. ``carried`` are paths of the driver's libraries and
    programs on mounts, ``nodes`` the device nodes, ``cached`` whether the loader's cache names libcuda (None: not seen
    yet), ``rules`` how many device rules let it at NVIDIA's devices (None: not to be told), ``request`` the variable.
    """

    pid: int
    program: str = ""
    carried: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    cached: bool | None = None
    rules: int | None = None
    request: str | None = None


class Namespaces(NamedTuple):
    """The mount and process namespaces of a process, by their numbers."""

    mounts: str
    processes: str


def processes(proc: str) -> frozenset[int]:
    """The processes that there are."""
    return frozenset(int(name) for name in os.listdir(proc) if name.isdigit())


def namespaces(pid: int | str, proc: str) -> Namespaces | None:
    """The namespaces of a process; None where it has ended or may not be looked at."""
    try:
        return Namespaces(*(os.readlink(f"{proc}/{pid}/ns/{kind}") for kind in ("mnt", "pid")))
    except OSError:
        return None


def first_container(pids: Iterable[int], ours: Namespaces, proc: str, within: str = "") -> int:
    """The first of these processes that lives in a mount namespace and a process namespace of its own; 0 for none.

    ``within`` is a part of the path of its cgroup, in which every engine puts the container's ID.
    """
    for pid in sorted(pids):
        theirs = namespaces(pid, proc)
        is_apart = theirs and theirs.mounts != ours.mounts and theirs.processes != ours.processes
        if is_apart and (not within or within in _cgroup(pid, proc)):
            return pid
    return 0


def _cgroup(pid: int, proc: str) -> str:
    try:
        with open(f"{proc}/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def look(pid: int, proc: str, majors: frozenset[int]) -> Seen | None:
    """What is there now; None once the process has ended. ``majors`` are the numbers of NVIDIA's devices."""
    mounts = _mounts(pid, proc)
    if mounts is None:
        return None
    program = _program(pid, proc)
    seen = Seen(
        pid=pid,
        program=program,
        rules=_rules(pid, proc, majors),
        request=_request(pid, proc) if program else None,
    )
    inside = _inside(seen, f"{proc}/{pid}/root")
    if inside is None:
        mounts = mounts - (_mounts("self", proc) or frozenset())
    return (inside or seen)._replace(carried=tuple(sorted({_short(path) for path in mounts if _is_carried(path)})))


def _is_carried(path: str) -> bool:
    return part_by_name(path) in {"driver", "libcuda", "nvidia-smi"}


def _mounts(pid: int | str, proc: str) -> frozenset[str] | None:
    try:
        with open(f"{proc}/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            return frozenset(mount.path for mount in procfs.mountinfo(file.read()))
    except (OSError, FormatError):
        return None


def _short(path: str) -> str:
    return path.rpartition("/")[2]


def _program(pid: int, proc: str) -> str:
    """The program of a process, empty while it is still the low-level runtime's.

    runc and crun run from a sealed copy of themselves, so that no container can write to them (CVE-2019-5736). Of a
    copy in memory the name says so; that of one on a mount that is in no tree is ``/``.
    """
    try:
        program = os.readlink(f"{proc}/{pid}/exe")
    except OSError:
        return ""
    return "" if program.startswith(("/memfd:", "/ ")) or _short(program).split(" ")[0] in _NO_PROGRAMS else program


def _request(pid: int, proc: str) -> str:
    """NVIDIA_VISIBLE_DEVICES of the container's program, empty where it is not set."""
    try:
        with open(f"{proc}/{pid}/environ", "rb") as file:
            entries = file.read(ENVIRON_LIMIT).split(b"\0")
    except OSError:
        return ""
    name = b"NVIDIA_VISIBLE_DEVICES="
    return next((one.removeprefix(name).decode(errors="replace") for one in entries if one.startswith(name)), "")


def _rules(pid: int, proc: str, majors: frozenset[int]) -> int | None:
    """How many rules of a device cgroup of version 1 name NVIDIA's devices; those of version 2 are a program.

    None also while the process is in our own, where it has not been put into one yet.
    """
    found = _device_cgroup(pid, proc)
    if not found or found == _device_cgroup("self", proc):
        return None
    try:
        with open(f"{found}/devices.list", encoding="ascii") as file:
            return sum(_names_one_of(line, majors) for line in file)
    except (OSError, ValueError):
        return None


def _device_cgroup(pid: int | str, proc: str) -> str:
    """The folder of a process's device cgroup of version 1, empty where it has none."""
    try:
        with open(f"{proc}/{pid}/cgroup", "rb") as own, open(f"{proc}/self/mountinfo", "rb") as ours:
            version, folder = next(cgroups.device_cgroups(own.read(), ours.read()), (0, ""))
    except OSError:
        return ""
    return folder if version == 1 else ""


def _names_one_of(rule: str, majors: frozenset[int]) -> bool:
    """Whether a rule such as ``c 195:0 rw`` is about one of these devices; ``a *:* rwm`` lets at everything."""
    fields = rule.split()
    if len(fields) != 3 or fields[2] == "m":
        return False
    major = fields[1].partition(":")[0]
    return fields[0] == "a" or (fields[0] == "c" and (major == "*" or (major.isdigit() and int(major) in majors)))


def _inside(seen: Seen, root: str) -> Seen | None:
    """What is seen through the root, once it is the container's own; None before."""
    try:
        fd = paths.open_root(root)
    except LinkspanError:
        return None  # it is still ours, or the process has just ended
    try:
        return seen._replace(nodes=_nodes(fd), cached=_cached(fd))
    except LinkspanError:
        return seen
    finally:
        os.close(fd)


def _nodes(root: int) -> tuple[str, ...]:
    held = paths.open_folder(root, "/dev")
    if held is None:
        return ()
    try:
        fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=held)
        try:
            return tuple(sorted(name for name in os.listdir(fd) if part_by_name(f"/dev/{name}") == "gpu"))
        finally:
            os.close(fd)
    except OSError:
        return ()
    finally:
        os.close(held)


def _cached(root: int) -> bool | None:
    try:
        data = paths.read_file(root, "/etc/ld.so.cache", CACHE_LIMIT)
        return None if data is None else any(entry[0] in {_CUDA, _NVML} for entry in ldcache.parse(data))
    except FormatError:
        return None
