"""What an engine does with ``--device vendor.com/class=name``: a CDI spec's edits, carried into a config.json.

After the CDI specification 1.0, section "container edits", as Docker, podman and containerd do it. It shares no code
with linkspan.
"""

import os
import stat
from collections.abc import Callable
from typing import Any

from tests.containers import Bundle, Outcome, Runtime, new_bundle, run
from tests.rootfs import Kind, fresh_root


def inject(config: dict[str, Any], spec: dict[str, Any], names: list[str]) -> None:
    """Apply the edits of the named devices, then those that all devices share, to an OCI configuration."""
    devices = {device["name"]: device.get("containerEdits", {}) for device in spec["devices"]}
    for edits in (*(devices[name] for name in names), spec.get("containerEdits", {})):
        _apply(config, edits)
    config["mounts"].sort(key=lambda entry: entry["destination"].count("/"))


def start(
    spec: dict[str, Any],
    runtime: Runtime,
    command: tuple[str, ...],
    devices: list[str],
    *,
    kind: Kind = "debian",
    shape: Callable[[Bundle], Any] = lambda bundle: bundle,
) -> Outcome:
    """A container's life with the named devices; ``shape`` changes its bundle before they are injected."""
    with fresh_root(kind) as root, new_bundle(root, *command) as bundle:
        shape(bundle)
        inject(bundle.config, spec, devices)
        return run(runtime, bundle)


def _apply(config: dict[str, Any], edits: dict[str, Any]) -> None:
    process, linux = config["process"], config["linux"]
    changed = {entry.partition("=")[0] for entry in edits.get("env", ())}
    process["env"] = [entry for entry in process["env"] if entry.partition("=")[0] not in changed]
    process["env"] += edits.get("env", ())
    process["user"].setdefault("additionalGids", []).extend(edits.get("additionalGids", ()))
    for node in edits.get("deviceNodes", ()):
        _add_node(linux, node)
    for mount in edits.get("mounts", ()):
        _add_mount(config, mount)
    for hook in edits.get("hooks", ()):
        entry = {key: hook[key] for key in ("path", "args", "env", "timeout") if key in hook}
        config.setdefault("hooks", {}).setdefault(hook["hookName"], []).append(entry)


def _add_mount(config: dict[str, Any], mount: dict[str, Any]) -> None:
    config["mounts"] = [entry for entry in config["mounts"] if entry["destination"] != mount["containerPath"]]
    entry = {"destination": mount["containerPath"], "source": mount["hostPath"], "options": mount.get("options", [])}
    config["mounts"].append({**entry, "type": mount.get("type", "bind")})


def _add_node(linux: dict[str, Any], node: dict[str, Any]) -> None:
    found = os.stat(node.get("hostPath", node["path"]))
    major = node.get("major") or os.major(found.st_rdev)
    minor = node.get("minor", 0) if node.get("major") else os.minor(found.st_rdev)
    kind = node.get("type") or ("b" if stat.S_ISBLK(found.st_mode) else "c")
    device = {"path": node["path"], "type": kind, "major": major, "minor": minor}
    device |= {key: node[key] for key in ("fileMode", "uid", "gid") if key in node}
    linux["devices"] = [entry for entry in linux.get("devices", ()) if entry["path"] != node["path"]] + [device]
    rule = {"allow": True, "type": kind, "major": major, "minor": minor, "access": node.get("permissions", "rwm")}
    linux["resources"]["devices"].append(rule)
