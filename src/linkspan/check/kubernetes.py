"""A Kubernetes node as its files and processes show it: kubelet, its engine, the device plugin, pods' logs.

No API server is asked. What kubelet has promised to pods stands in its checkpoints below /var/lib/kubelet, what pods
wrote in /var/log/pods, and a pod's id in the cgroup of its containers.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from linkspan.check.containers import Container
from linkspan.check.daemons import Engine
from linkspan.check.eyes import Eyes
from linkspan.check.processes import Process, Processes
from linkspan.facts.host import TEXT_LIMIT, HostReader
from linkspan.facts.model import Model

RESOURCE = "nvidia.com/gpu"
CHECKPOINT = "/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint"
CLAIMS = "/var/lib/kubelet/dra_manager_state"
LOGS = "/var/log/pods"
PLUGIN = "nvidia-device-plugin"
_KUBELET_CONFIG = "/var/lib/kubelet/config.yaml"
_CHECKPOINT_LIMIT = 8 << 20
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


class Grant(Model, frozen=True, kw_only=True):
    """Devices that kubelet gave to a container of a pod."""

    pod: str
    container: str
    resource: str
    ids: tuple[str, ...] = ()


class Claim(Model, frozen=True, kw_only=True):
    """A resource claim that is prepared on this node, and the pods that hold it."""

    name: str
    driver: str
    pods: tuple[str, ...] = ()


class Devices(Model, frozen=True, kw_only=True):
    """Kubelet's own account of device plugins: the healthy devices of each resource, and what was granted."""

    healthy: dict[str, tuple[str, ...]] = {}
    grants: tuple[Grant, ...] = ()


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
        nothing: dict[str, Any] = {}
        return msgspec.convert(self._eyes.derive("checkpoint", CHECKPOINT, _checkpoint, nothing), Devices)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """The claims that are prepared on this node."""
        none: list[dict[str, Any]] = []
        return msgspec.convert(self._eyes.derive("claims", CLAIMS, _claims, none), tuple[Claim, ...])

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


def _document(data: bytes | None) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(data or b"{}")
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _checkpoint(host: HostReader, path: str) -> dict[str, Any]:
    data = _document(host.read(path, 0, _CHECKPOINT_LIMIT)).get("Data")
    if not isinstance(data, dict):
        return {}
    healthy = data.get("RegisteredDevices")
    entries = data.get("PodDeviceEntries")
    return {
        "healthy": {
            str(name): [str(one) for one in ids or ()]
            for name, ids in (healthy.items() if isinstance(healthy, dict) else ())
        },
        "grants": [_grant(one) for one in entries if isinstance(one, dict)] if isinstance(entries, list) else [],
    }


def _grant(entry: dict[str, Any]) -> dict[str, Any]:
    """Devices stand by NUMA node; before 1.20 they were a plain list."""
    ids = entry.get("DeviceIDs")
    groups = ids.values() if isinstance(ids, dict) else [ids] if isinstance(ids, list) else []
    return {
        "pod": str(entry.get("PodUID", "")),
        "container": str(entry.get("ContainerName", "")),
        "resource": str(entry.get("ResourceName", "")),
        "ids": [str(one) for group in groups if isinstance(group, list) for one in group],
    }


def _claims(host: HostReader, path: str) -> list[dict[str, Any]]:
    """Every version of the file has the same entries, under other names and from 1.32 on in a text of its own."""
    document = _document(host.read(path, 0, TEXT_LIMIT))
    inner = document.get("Data")
    document = _document(inner.encode()) if isinstance(inner, str) else document
    lists = (document.get(key) for key in ("entries", "Entries", "ClaimInfoStateList"))
    entries = next((one for one in lists if isinstance(one, list)), [])
    return [_claim(one) for one in entries if isinstance(one, dict)]


def _claim(entry: dict[str, Any]) -> dict[str, Any]:
    states, pods = entry.get("DriverState"), entry.get("PodUIDs")
    drivers = list(states) if isinstance(states, dict) else [str(entry.get("DriverName", ""))]
    return {
        "name": f"{entry.get('Namespace', '')}/{entry.get('ClaimName', '')}",
        "driver": next((name for name in drivers if "nvidia" in name), ""),
        "pods": list(map(str, pods)) if isinstance(pods, dict | list) else [],
    }
