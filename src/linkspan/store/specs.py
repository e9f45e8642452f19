"""Requests that name entries of CDI specs: the specs' own edits, as ready-made edits (contract 2.6, 2.7).

What a request says beyond the names holds here too: a list of driver capabilities keeps the other capabilities' files
out, and requirements are checked. Our own hook in a spec is read back into the work that it stands for, so that the
runtime can do it without starting the hook.
"""

import os
import stat
from collections.abc import Iterable
from typing import Any

from linkspan.emit import oci, operations
from linkspan.errors import HostError
from linkspan.facts.model import DeviceNode
from linkspan.formats import hookargs
from linkspan.formats.cdi import Document
from linkspan.plan import capabilities
from linkspan.plan.model import Capability, DeviceRequest
from linkspan.store.registry import Registry, Resolution

HOOK = "linkspan-hook"


def knows_kind(registry: Registry, kind: str) -> bool:
    """True where any spec, also one that is broken or in conflict, may speak for this kind."""
    names = (*registry.devices, *registry.conflicts)
    return bool(registry.broken) or any(name.startswith(f"{kind}=") for name in names)


def edits(request: DeviceRequest, resolution: Resolution, arch: str) -> dict[str, Any]:
    """The edits for the named devices."""
    parts = resolution.edits
    if request.capabilities is not None and all(name.startswith("nvidia.com/") for name in request.cdi_devices):
        parts = tuple(_filtered(part, request.capabilities) for part in parts)
    found = oci.from_cdi(parts, node_at)
    return _with_own_work(found, request.capabilities, arch)


def node_at(path: str) -> DeviceNode:
    """The device node at a path of this machine. HostError where there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        found = None
    if found is None or not (stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)):
        raise HostError(
            f"the CDI spec names {path}, but there is no device node",
            hint="as root, write the spec anew with 'linkspan cdi refresh'",
            subject=path,
        )
    return DeviceNode(
        path=path,
        host_path=path,
        type="c" if stat.S_ISCHR(found.st_mode) else "b",
        major=os.major(found.st_rdev),
        minor=os.minor(found.st_rdev),
        mode=stat.S_IMODE(found.st_mode),
    )


def _filtered(part: Document, granted: Iterable[Capability]) -> Document:
    """Container edits without the mounts and nodes of capabilities that were not asked for."""
    admitted = tuple(granted)
    mounts = [m for m in part.get("mounts") or () if capabilities.admits(m["containerPath"], admitted)]
    nodes = [n for n in part.get("deviceNodes") or () if capabilities.admits(n["path"], admitted)]
    return {**part, "mounts": mounts, "deviceNodes": nodes}


def _with_own_work(found: dict[str, Any], granted: tuple[Capability, ...] | None, arch: str) -> dict[str, Any]:
    """The edits with our own hook entries turned into work for the runtime."""
    stages = found.get("hooks", {})
    entries = stages.get("createContainer", [])
    own = [entry for entry in entries if _is_own(entry)]
    if not own:
        return found
    work = hookargs.parse([word for entry in own for word in entry["args"][2:]], arch)
    if granted is not None:
        work["links"] = [link for link in work["links"] if capabilities.admits(link[1], granted)]
        work["loadables"] = [item for item in work["loadables"] if capabilities.admits(item[0], granted)]
    mask_params = work.pop("mask_params", False)
    if "profile" in work:
        work["profile"] = operations.gpu_minors((node["path"], node["minor"]) for node in found.get("devices", ()))
    others = {**stages, "createContainer": [entry for entry in entries if not _is_own(entry)]}
    hooks = {stage: kept for stage, kept in others.items() if kept}
    rest = {key: value for key, value in found.items() if key != "hooks"}
    return rest | ({"hooks": hooks} if hooks else {}) | oci.left_to_do(work, mask_params)


def _is_own(entry: dict[str, Any]) -> bool:
    return os.path.basename(entry["path"]) == HOOK and bool(entry.get("args", [])[1:2] == [hookargs.VERB])
