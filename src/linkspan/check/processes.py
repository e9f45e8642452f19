"""The processes of a host, read once; what costs a file of each is read only where a rule asks."""

from functools import cache
from typing import NamedTuple

from linkspan.check.eyes import Eyes
from linkspan.facts.host import HostReader

TICKS_PER_S = 100
"""USER_HZ, the unit of /proc/PID/stat on every architecture that NVIDIA's driver knows (proc(5))."""
WITH_VALUE = ("NVIDIA_", "CUDA_", "DOCKER_", "LD_", "XDG_", "PATH", "HOME", "container", "K3S_", "RKE2_", "PODMAN_")
"""What the names of the variables begin with that rules may see: all others may hold secrets."""


class Process(NamedTuple):
    """A process: ``started`` in seconds since 1970, ``uid`` the real one."""

    pid: int
    parent: int
    argv: tuple[str, ...]
    uid: int
    started: float

    @property
    def name(self) -> str:
        """The name of its program, by its first argument."""
        return self.argv[0].rpartition("/")[2]


class Processes:
    """All processes that have a command line, by number; ``booted`` is when the host was started (see ``started``)."""

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes
        self.booted = boot = _boot_time(eyes.text("/proc/stat") or "")
        pids = sorted(int(name) for name in eyes.names("/proc") if name.isdecimal())
        self.all = {found.pid: found for pid in pids if (found := _process(eyes, pid, boot))}
        self.environ = cache(self._environ)

    def named(self, *names: str) -> list[Process]:
        """Those whose program has one of these names, and that share the file system of the first process."""
        return [one for one in self.all.values() if one.name in names and self.on_host(one.pid)]

    def on_host(self, pid: int) -> bool:
        """True for a process outside every container: it has the mount namespace of the first, or no pivoted root."""
        return self.namespace(pid) == self.namespace(1) or not self.container_id(pid)

    def namespace(self, pid: int, kind: str = "mnt") -> str:
        """A namespace as the kernel names it: ``mnt:[4026531840]``."""
        return self._eyes.link(f"/proc/{pid}/ns/{kind}") or ""

    def exe(self, pid: int) -> str:
        """The program's file, in the eyes of the process."""
        return self._eyes.link(f"/proc/{pid}/exe") or ""

    def cgroup(self, pid: int) -> str:
        """The text of its cgroups."""
        return self._eyes.text(f"/proc/{pid}/cgroup") or ""

    def container_id(self, pid: int) -> str:
        """The 64 hexadecimal digits of the container in its cgroup, empty where there are none."""
        return _container_id(self.cgroup(pid))

    def _environ(self, pid: int) -> dict[str, str]:
        """What it was started with, as far as rules may see it."""
        none: dict[str, str] = {}
        return self._eyes.derive("environ", f"/proc/{pid}/environ", _visible, none)

    def descendants(self, pid: int) -> list[Process]:
        """The children of a process, theirs, and so on."""
        found = [one for one in self.all.values() if one.parent == pid and one.pid != pid]
        return found + [deeper for one in found for deeper in self.descendants(one.pid)]


def _boot_time(stat: str) -> float:
    line = next((line for line in stat.splitlines() if line.startswith("btime ")), "btime 0")
    return float(line.split()[1])


def _process(eyes: Eyes, pid: int, boot: float) -> Process | None:
    words = (eyes.read(f"/proc/{pid}/cmdline") or b"").split(b"\0")
    if not words[0]:  # a thread of the kernel, or it ended meanwhile
        return None
    argv = tuple(word.decode("utf-8", "replace") for word in (words[:-1] if not words[-1] else words))
    # The name in the second field may hold blanks and brackets: what counts begins after its last bracket (proc(5)).
    fields = (eyes.text(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    parent, ticks = (int(fields[1]), int(fields[19])) if len(fields) > 19 else (0, 0)
    return Process(pid, parent, argv, _uid(eyes.text(f"/proc/{pid}/status") or ""), boot + ticks / TICKS_PER_S)


def _uid(status: str) -> int:
    line = next((line for line in status.splitlines() if line.startswith("Uid:")), "Uid: 0")
    return int(line.split()[1])


def _visible(host: HostReader, path: str) -> dict[str, str]:
    words = (host.read(path) or b"").decode("utf-8", "replace").split("\0")
    pairs = (word.partition("=") for word in words if "=" in word)
    return {name: value for name, _, value in pairs if name.startswith(WITH_VALUE)}


def _container_id(cgroup: str) -> str:
    for part in cgroup.replace("/", "\n").replace("-", "\n").replace(":", "\n").replace(".", "\n").split():
        if len(part) == 64 and all(sign in "0123456789abcdef" for sign in part):
            return part
    return ""
