"""The running containers of a host, seen from outside: their first process, its variables, mounts and root."""

from collections.abc import Iterator
from functools import cached_property

from linkspan.check.eyes import Eyes
from linkspan.check.processes import Process, Processes
from linkspan.errors import FormatError
from linkspan.formats import procfs
from linkspan.formats.procfs import MountPoint

_BY_CGROUP = (
    ("docker", "docker"),
    ("podman", "libpod"),
    ("crio", "crio"),
    ("containerd", "cri-containerd"),
    ("containerd", "kubepods"),
)
"""What the cgroup of an engine's containers is called by, the more telling name first."""


class Container:
    """A running container. Nothing in it is trusted: its paths are followed below its own root only."""

    def __init__(self, eyes: Eyes, processes: Processes, process: Process) -> None:
        self.process = process
        self.pid = process.pid
        self.id = processes.container_id(process.pid)
        self.cgroup = processes.cgroup(process.pid)
        self._outside = eyes
        self._processes = processes

    @property
    def name(self) -> str:
        """How findings call it: twelve digits of its id, or its process where it has none."""
        return f"container {self.id[:12]}" if self.id else f"container of process {self.pid}"

    @property
    def engine(self) -> str:
        """The kind of its engine, empty where its cgroup does not tell."""
        return next((kind for kind, mark in _BY_CGROUP if mark in self.cgroup), "")

    @property
    def is_pod(self) -> bool:
        """True for a container of a Kubernetes pod."""
        return "kubepods" in self.cgroup

    @cached_property
    def env(self) -> dict[str, str]:
        """The variables that its first process was started with, as far as rules may see them."""
        return self._processes.environ(self.pid)

    @cached_property
    def mounts(self) -> tuple[MountPoint, ...]:
        """Its mounts; none where they cannot be read."""
        try:
            return tuple(procfs.mountinfo(self._outside.text(f"/proc/{self.pid}/mountinfo") or ""))
        except FormatError:
            return ()

    @cached_property
    def root(self) -> Eyes:
        """What it sees."""
        return self._outside.below(f"/proc/{self.pid}/root")

    @property
    def wants_gpus(self) -> bool:
        """True where its variables ask for GPUs, or it was given some."""
        return self.env.get("NVIDIA_VISIBLE_DEVICES", "void") not in ("", "void", "none") or self.has_gpus

    @cached_property
    def has_gpus(self) -> bool:
        """True where a control node of NVIDIA's stands in its /dev."""
        return any(self.root.exists(f"/dev/{name}") for name in ("nvidiactl", "dxg", "nvhost-ctrl-gpu"))

    def mount(self, path: str) -> MountPoint | None:
        """The mount at exactly this path: the last one, which covers those before."""
        return next((mount for mount in reversed(self.mounts) if mount.path == path), None)


def containers(eyes: Eyes, processes: Processes) -> tuple[Container, ...]:
    """One for each container: the process of it whose parent is outside."""
    first: dict[str, Process] = {}
    for one in _inside(processes):
        key = processes.container_id(one.pid)
        if key not in first or one.parent not in processes.all:
            first.setdefault(key, one)
    return tuple(Container(eyes, processes, one) for one in first.values() if not _is_pause(one))


def _inside(processes: Processes) -> Iterator[Process]:
    host = processes.namespace(1)
    for one in processes.all.values():
        if processes.container_id(one.pid) and processes.namespace(one.pid) != host:
            yield one


def _is_pause(one: Process) -> bool:
    """The process that only holds a pod's namespaces."""
    return one.name == "pause"
