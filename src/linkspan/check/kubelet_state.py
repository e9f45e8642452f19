"""Kubelet's own accounts: which devices it granted to which pods, and which claims are prepared.

They are read as they stand on disk, in every version of their form; what is something else counts as empty.
"""

from typing import Any

import msgspec

from linkspan.check.eyes import Eyes
from linkspan.facts.host import TEXT_LIMIT, HostReader
from linkspan.facts.model import Model

CHECKPOINT = "/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint"
CLAIMS = "/var/lib/kubelet/dra_manager_state"
_CHECKPOINT_LIMIT = 8 << 20


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


def devices(eyes: Eyes) -> Devices:
    """Kubelet's checkpoint of device plugins; empty where there is none."""
    nothing: dict[str, Any] = {}
    return msgspec.convert(eyes.derive("checkpoint", CHECKPOINT, _checkpoint, nothing), Devices)


def claims(eyes: Eyes) -> tuple[Claim, ...]:
    """The claims that are prepared on this node."""
    none: list[dict[str, Any]] = []
    return msgspec.convert(eyes.derive("claims", CLAIMS, _claims, none), tuple[Claim, ...])


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
