"""Pods of a simulated node: their logs, and what kubelet keeps of devices."""

import json
from collections.abc import Iterable, Mapping

from linkspan.sim.machine import RECENTLY, Machine

CHECKPOINT = "/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint"
_TIME = "2023-12-14T22:21:40.000000000Z"


def pod_id(number: int) -> str:
    """The id of a simulated pod."""
    return f"{number:08x}-6a52-4a8e-9b1f-5d1a3c7e2b40"


def log(
    machine: Machine,
    namespace: str,
    pod: str,
    container: str,
    lines: Iterable[str],
    *,
    number: int = 0,
    starts: int = 0,
) -> None:
    """What a container of a pod wrote at its last start, as the engine keeps it for kubelet."""
    folder = f"/var/log/pods/{namespace}_{pod}_{pod_id(number)}/{container}"
    machine.write(f"{folder}/{starts}.log", "".join(f"{_TIME} stderr F {line}\n" for line in lines), changed=RECENTLY)


def system_log(machine: Machine, program: str, line: str) -> None:
    """A line of a daemon in the system's log."""
    machine.append("/var/log/syslog", f"Dec 14 22:21:40 node-1 {program}: {line}\n", changed=RECENTLY)


def checkpoint(machine: Machine, healthy: Iterable[str], grants: Mapping[str, Iterable[str]] | None = None) -> None:
    """Kubelet's account of device plugins: the healthy GPUs, and those that pods were given."""
    entries = [
        {
            "PodUID": pod,
            "ContainerName": "main",
            "ResourceName": "nvidia.com/gpu",
            "DeviceIDs": {"-1": list(ids)},
            "AllocResp": "",
        }
        for pod, ids in (grants or {}).items()
    ]
    data = {"PodDeviceEntries": entries or None, "RegisteredDevices": {"nvidia.com/gpu": list(healthy)}}
    machine.write(CHECKPOINT, json.dumps({"Data": data, "Checksum": 1}), changed=RECENTLY)
