"""Injections and CDI edits as ready-made edits of an OCI config.json.

The document made here is what the start path applies without understanding it (``runtime.patch``):

    env           entries to append to the process's environment
    devices       entries of linux.devices, each replacing one of the same path
    rules         entries to append to linux.resources.devices
    mounts        entries of mounts, each replacing one of the same destination
    hooks         per stage, entries to append
    ensure_hooks  per stage, entries to append unless NVIDIA's hook is there already
    gids          additional groups of the process
    other         members of linux that CDI edits may set: intelRdt, netDevices
    remove_hooks  base names of programs whose hook entries go, at every stage
    prepare       the work of ``kernel.prepare`` (see ``operations``)
    mask_params   true where /proc/driver/nvidia/params has to be masked, which only a hook can do
    proc_gpus     the folders of /proc/driver/nvidia/gpus that stay in sight; for the prestart hook alone
    hook          the entry that does this in a hook, where need be: its path and arguments are still to be filled in
    hook_arguments  the arguments that stand for the work of ``prepare`` and ``mask_params``
    says          what is injected and why, for the log

Absent members mean nothing to do. An empty document leaves the container as it is.
"""

from collections.abc import Callable, Iterable
from typing import Any

from linkspan.emit import operations
from linkspan.errors import HostError
from linkspan.facts.model import DeviceNode
from linkspan.formats import hookargs
from linkspan.formats.oci import NVIDIA_HOOKS
from linkspan.plan.model import Injection, Mount

Edits = dict[str, Any]


def edits(injection: Injection, arch: str) -> Edits:
    """The edits that carry an injection into config.json."""
    return _without_empty(
        {
            "env": list(injection.env),
            "devices": [device(node) for node in injection.devices],
            "rules": [rule(node.type, node.major, node.minor) for node in injection.devices],
            "mounts": [mount(item) for item in injection.mounts],
            "gids": list(injection.gids),
            "remove_hooks": list(NVIDIA_HOOKS),
            **left_to_do(operations.work(injection, arch), injection.mask_params),
        }
    )


def left_to_do(work: dict[str, Any], mask_params: bool) -> Edits:
    """The members for the work inside the root, and for the hook that does it where the runtime cannot."""
    arguments = hookargs.render(work, mask_params)
    if not arguments:
        return {}
    members = {"prepare": work, "mask_params": mask_params}
    return members | {"hook": operations.hook("", []), "hook_arguments": arguments}


def device(node: DeviceNode) -> dict[str, Any]:
    """An entry of ``linux.devices``; owners only where they are not root, so that the start path may fill them in."""
    entry = {"path": node.path, "type": node.type, "major": node.major, "minor": node.minor, "fileMode": node.mode}
    return entry | ({"gid": node.gid} if node.gid else {})


def rule(kind: str, major: int, minor: int, access: str = "rwm") -> dict[str, Any]:
    """An entry of ``linux.resources.devices`` that allows one node."""
    return {"allow": True, "type": kind, "major": major, "minor": minor, "access": access}


def mount(item: Mount) -> dict[str, Any]:
    """An entry of ``mounts``; the type is left out, since ``rbind`` among the options says it."""
    return {"destination": item.container_path, "source": item.host_path, "options": list(item.options)}


def from_cdi(container_edits: Iterable[dict[str, Any]], node_at: Callable[[str], DeviceNode]) -> Edits:
    """The edits for CDI container edits, merged in their order and applied once (contract 2.7).

    ``node_at`` looks up a device node of the host by path, for what a spec leaves open; it raises HostError where none
    is there.
    """
    merged: dict[str, list[Any]] = {"env": [], "devices": [], "rules": [], "mounts": [], "gids": []}
    hooks: dict[str, list[Any]] = {}
    other: dict[str, Any] = {}
    for part in container_edits:
        merged["env"] += part.get("env") or []
        for entry in part.get("deviceNodes") or []:
            _add_cdi_node(entry, merged, node_at)
        merged["mounts"] += [_cdi_mount(entry) for entry in part.get("mounts") or []]
        merged["gids"] += part.get("additionalGids") or []
        for entry in part.get("hooks") or []:
            hooks.setdefault(entry["hookName"], []).append({k: v for k, v in entry.items() if k != "hookName"})
        other |= _other_members(part)
    return _without_empty({**_once(merged), "hooks": hooks, "other": other, "remove_hooks": list(NVIDIA_HOOKS)})


def _add_cdi_node(entry: dict[str, Any], merged: dict[str, list[Any]], node_at: Callable[[str], DeviceNode]) -> None:
    kind, major, minor = entry.get("type"), entry.get("major", 0), entry.get("minor", 0)
    if kind == "u":
        kind = "c"
    known = bool(kind) and (bool(major) or kind == "p")
    found = node_at(entry.get("hostPath") or entry["path"]) if not known or "fileMode" not in entry else None
    if found is not None:
        _compare_node(entry, found)
        kind, major, minor = found.type, found.major, found.minor
    device_entry = {"path": entry["path"], "type": kind, "major": major, "minor": minor}
    mode = entry.get("fileMode", found.mode if found else None)
    owners = {key: entry[key] for key in ("uid", "gid") if key in entry}
    merged["devices"].append(device_entry | ({} if mode is None else {"fileMode": mode}) | owners)
    if kind in ("b", "c"):
        merged["rules"].append(rule(str(kind), major, minor, entry.get("permissions") or "rwm"))


def _compare_node(entry: dict[str, Any], found: DeviceNode) -> None:
    for key, value in (("type", found.type), ("major", found.major), ("minor", found.minor)):
        if entry.get(key) and entry[key] != value and not (key == "type" and entry[key] == "u" and value == "c"):
            raise HostError(
                f"the CDI spec says {key} {entry[key]} for {entry['path']}, but the node here has {value}",
                hint="as root, write the spec anew with 'linkspan cdi refresh'",
                subject=entry["path"],
            )


def _cdi_mount(entry: dict[str, Any]) -> dict[str, Any]:
    rest = {key: entry[key] for key in ("type", "options") if entry.get(key)}
    return {"destination": entry["containerPath"], "source": entry["hostPath"], **rest}


def _other_members(part: dict[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if part.get("intelRdt"):
        members["intelRdt"] = part["intelRdt"]
    if part.get("netDevices"):
        members["netDevices"] = {item["hostInterfaceName"]: {"name": item["name"]} for item in part["netDevices"]}
    return members


def _once(merged: dict[str, list[Any]]) -> dict[str, list[Any]]:
    once = {key: [item for i, item in enumerate(items) if item not in items[:i]] for key, items in merged.items()}
    last_of_a_name = {entry.partition("=")[0]: entry for entry in merged["env"]}
    return once | {"env": list(last_of_a_name.values())}


def _without_empty(document: Edits) -> Edits:
    return {key: value for key, value in document.items() if value}
