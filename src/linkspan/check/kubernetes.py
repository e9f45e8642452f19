"""A Kubernetes node as its files and processes show it: kubelet, its engine, the device plugin, pods' logs.

No API server is asked. What kubelet has promised to pods stands in its checkpoints below /var/lib/kubelet, what pods
wrote in /var/log/pods, and a pod's id in the cgroup of its containers.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from linkspan.check import kubelet_state
from linkspan.check.containers import Container
from linkspan.check.daemons import Engine
from linkspan.check.eyes import Eyes
from linkspan.check.kubelet_state import CLAIMS, Claim, Devices
from linkspan.check.processes import Process, Processes
from linkspan.facts.host import HostReader

RESOURCE = "nvidia.com/gpu"
LOGS = "/var/log/pods"
PLUGIN = "nvidia-device-plugin"
_KUBELET_CONFIG = "/var/lib/kubelet/config.yaml"
_TAIL = 256 << 10
_MOST_PODS = 40
_MOST_LINES = 200
_OF_INTEREST = re.compile(
    r"NVML|nvidia|Xid|unhealthy|health check|MPS|replicas|containerd\.sock|strategy|No devices found", re.IGNORECASE
)
_OURS = re.compile(r"nvidia|gpu|mps", re.IGNORECASE)
_CRI_PREFIX = re.compile(r"^\S+ (?:stdout|stderr) [FP] ")


class Line(NamedTuple):
    """A line that a pod wrote, without the engine's own fields before it."""

    path: str
    text: str


class Node:
    """The host as a node; ``is_one`` is False where no kubelet runs."""

    claims_file = CLAIMS

    def __init__(
        self, eyes: Eyes, processes: Processes, engines: tuple[Engine, ...], containers: tuple[Container, ...]
    ) -> None:
        self._eyes, self._processes, self._engines, self._containers = eyes, processes, engines, containers

    @cached_property
    def kubelet(self) -> Process | None:
        """The kubelet, or the program of a distribution that has one in itself."""
        return next(iter(self._processes.named("kubelet", "k3s", "rke2", "k3s-server", "k3s-agent")), None)

    @property
    def is_one(self) -> bool:
        """True where a kubelet runs."""
        return self.kubelet is not None

    @cached_property
    def engine(self) -> Engine | None:
        """The engine that kubelet drives: the one its endpoint names, else the only one there is."""
        if self.kubelet is None:
            return None
        able = [one for one in self._engines if one.kind in ("containerd", "crio")]
        endpoint = self._endpoint()
        named = [one for one in able if one.kind in endpoint.replace("cri-o", "crio")]
        found = named if endpoint else able
        return found[0] if len(found) == 1 or named else None

    def _endpoint(self) -> str:
        words = self.kubelet.argv if self.kubelet else ()
        for word, after in zip(words, (*words[1:], ""), strict=True):
            if word.startswith("--container-runtime-endpoint"):
                return word.partition("=")[2] or after
        lines = (self._eyes.text(_KUBELET_CONFIG) or "").splitlines()
        return next((line.partition(":")[2].strip() for line in lines if line.startswith("containerRuntimeEnd")), "")

    @cached_property
    def plugin(self) -> Container | None:
        """The running device plugin."""
        return next((one for one in self._containers if one.process.name.startswith(PLUGIN)), None)

    @cached_property
    def devices(self) -> Devices:
        """Kubelet's checkpoint of device plugins; empty where there is none."""
        return kubelet_state.devices(self._eyes)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """The claims that are prepared on this node."""
        return kubelet_state.claims(self._eyes)

    @cached_property
    def pods(self) -> dict[str, tuple[str, str]]:
        """The id of each pod that has logs here, to its namespace and name."""
        parts = (name.split("_") for name in self._eyes.names(LOGS))
        return {part[2]: (part[0], part[1]) for part in parts if len(part) == 3}

    def lines(self, part: str, pattern: re.Pattern[str]) -> list[Line]:
        """The lines of the newest log of each container of pods with this in their name, oldest first."""
        found = [name for name in self._eyes.names(LOGS) if part in name and _OURS.search(name)][:_MOST_PODS]
        return [line for pod in found for line in self._of_pod(pod) if pattern.search(line.text)]

    def _of_pod(self, pod: str) -> Iterator[Line]:
        for container in self._eyes.names(f"{LOGS}/{pod}"):
            folder = f"{LOGS}/{pod}/{container}"
            numbers = [int(name[:-4]) for name in self._eyes.names(folder) if re.fullmatch(r"\d{1,9}\.log", name)]
            none: list[str] = []
            if numbers:
                path = f"{folder}/{max(numbers)}.log"
                yield from (Line(path, text) for text in self._eyes.derive("pod log", path, _tail, none))


def pod_of(container: Container) -> str:
    """The id of a container's pod, by its cgroup; empty where it is none's."""
    found = re.search(r"pod([0-9a-f]{8}[-_](?:[0-9a-f]{4}[-_]){3}[0-9a-f]{12})", container.cgroup)
    return found[1].replace("_", "-") if found else ""


def _tail(host: HostReader, path: str) -> list[str]:
    data = host.read(path, max(0, host.size(path) - _TAIL), _TAIL) or b""
    lines = (_CRI_PREFIX.sub("", line)[:1000] for line in data.decode("utf-8", "replace").splitlines())
    return [line for line in lines if _OF_INTEREST.search(line)][-_MOST_LINES:]
