"""What CRI-O itself demands of its runtimes before it starts, for machines that cannot have a CRI-O.

After ``RuntimeConfig.ValidateDefaultRuntime``, ``ValidateRuntimes``, ``TranslateMonitorFields`` and
``RuntimeHandler.Validate`` of its pkg/config; it shares no code with linkspan. Stricter than CRI-O, it wants absolute
paths: what others are relative to nobody knows.
"""

import re
import tomllib
from collections.abc import Container, Iterable, Mapping
from typing import Any

BUILT_IN = {"crun": {"runtime_path": ""}}
"""The runtime that is there without being configured; the default where none is named."""
TYPES = ("", "oci", "vm", "pod")
SHIM = re.compile(r"containerd-shim-([a-zA-Z0-9\-+])+-v2")
TEXTS = ("runtime_path", "runtime_type", "runtime_root", "monitor_path", "monitor_cgroup", "runtime_config_path")
LISTS = ("allowed_annotations", "monitor_env", "disallowed_annotations")
ANNOTATIONS = {
    "bundle", "cpu-c-states.crio.io", "cpu-freq-governor.crio.io", "cpu-load-balancing.crio.io", "cpu-quota.crio.io",
    "cpu-shared.crio.io", "io.containers.trace-syscall", "io.kubernetes.cri-o.Devices",
    "io.kubernetes.cri-o.DisableFIPS",
    "io.kubernetes.cri-o.LinkLogs", "io.kubernetes.cri-o.PodLinuxOverhead", "io.kubernetes.cri-o.PodLinuxResources",
    "io.kubernetes.cri-o.ShmSize", "io.kubernetes.cri-o.TrySkipVolumeSELinuxLabel", "io.kubernetes.cri-o.UnifiedCgroup",
    "io.kubernetes.cri-o.cgroup2-mount-hierarchy-rw", "io.kubernetes.cri-o.seccompNotifierAction",
    "io.kubernetes.cri-o.umask", "io.kubernetes.cri-o.userns-mode", "io.kubernetes.cri.container-type",
    "io.kubernetes.cri.rdt-class", "irq-load-balancing.crio.io", "module.wasm.image/variant", "org.criu.config",
    "org.systemd.property.", "run.oci.", "seccomp-profile.kubernetes.cri-o.io",
}  # fmt: skip
"""What pods may be allowed to ask for; any other name is refused."""


def merged(files: Iterable[str]) -> dict[str, Any]:
    """The table crio.runtime of files in the order in which they are read.

    Values replace each other, and so does a runtime's whole table: it is decoded into a new element of the map.
    """
    found: dict[str, Any] = {"runtimes": dict(BUILT_IN)}
    for text in files:
        runtime = tomllib.loads(text.removeprefix("\ufeff")).get("crio", {}).get("runtime", {})
        runtimes = {**found["runtimes"], **runtime.get("runtimes", {})}
        found = {**found, **runtime, "runtimes": runtimes}
    return found


def in_force(main: str, drop_ins: Mapping[str, str]) -> dict[str, Any]:
    """The table crio.runtime of the main file and the drop-ins, which are read by name."""
    return merged([main, *(drop_ins[name] for name in sorted(drop_ins))])


def problems(
    runtime: dict[str, Any], programs: Container[str], on_path: Container[str] = ("crun", "runc")
) -> list[str]:
    """Why CRI-O would not start with this table, on a host that has these programs; empty where it would."""
    said = []
    default = runtime.get("default_runtime", "")
    if default and default not in runtime["runtimes"]:
        said.append(f"default_runtime set to {default!r}, but there is no such runtime")
    for name, entry in runtime["runtimes"].items():
        effective = _inherited(entry, runtime) if isinstance(entry, dict) else entry
        said += [f"{name}: {problem}" for problem in _of_entry(name, effective, programs, on_path)]
        said += [f"{name}: {problem}" for problem in _of_monitor(effective, runtime, programs)]
    said += [f"cdi_spec_dirs has {path!r}" for path in runtime.get("cdi_spec_dirs", []) if not path.startswith("/")]
    return said


def program(runtime: dict[str, Any], name: str, platform: str = "linux/amd64") -> str:
    """What a runtime starts on a platform."""
    entry = _inherited(runtime["runtimes"][name], runtime)
    return str(entry.get("platform_runtime_paths", {}).get(platform) or entry.get("runtime_path", ""))


def _inherited(entry: dict[str, Any], runtime: dict[str, Any]) -> dict[str, Any]:
    """An entry that inherits takes what it starts, and how, from the default runtime."""
    if not entry.get("inherit_default_runtime"):
        return entry
    default = runtime["runtimes"].get(runtime.get("default_runtime") or "crun", {})
    keys = ("runtime_path", "runtime_type", "runtime_config_path", "runtime_root")
    return {**entry, **{key: default.get(key, "") for key in keys}}


def _of_monitor(entry: Any, runtime: dict[str, Any], programs: Container[str]) -> Iterable[str]:
    """Runtimes of the type oci have conmon beside them; the older settings for all of them win."""
    if not isinstance(entry, dict) or entry.get("runtime_type", "") not in ("", "oci"):
        return
    path = runtime.get("conmon") or entry.get("monitor_path") or ""
    if path and path not in programs:
        yield f"invalid conmon path {path}"
    group = str(runtime.get("conmon_cgroup") or entry.get("monitor_cgroup") or "system.slice")
    if group != "pod" and not group.endswith(".slice"):
        yield "conmon cgroup should be 'pod' or a systemd slice"


def _of_entry(name: str, entry: Any, programs: Container[str], on_path: Container[str]) -> Iterable[str]:
    if not isinstance(entry, dict):
        yield "is no table"
        return
    yield from (f"{key} is no text" for key in TEXTS if not isinstance(entry.get(key, ""), str))
    yield from (f"{key} is no list of texts" for key in LISTS if not _is_texts(entry.get(key, [])))
    path, kind = entry.get("runtime_path", ""), entry.get("runtime_type", "")
    if not path and name not in on_path:
        yield "not found in $PATH"
    if path and path not in programs:
        yield f"invalid runtime_path {path}"
    if path and not str(path).startswith("/"):
        yield f"runtime_path {path} is not absolute"
    if kind not in TYPES:
        yield f"invalid runtime_type {kind!r}"
    if kind == "vm" and not SHIM.search(str(path).rpartition("/")[2]):
        yield "the program of a vm has to be named as containerd's shims are"
    yield from _of_type(entry, kind)


def _of_type(entry: dict[str, Any], kind: str) -> Iterable[str]:
    """What only some types may have."""
    if entry.get("runtime_config_path") and kind != "vm":
        yield "runtime_config_path is for the type vm"
    if entry.get("stream_websockets") and kind != "pod":
        yield "stream_websockets is for the type pod"
    if entry.get("no_sync_log") and kind not in ("", "oci"):
        yield "no_sync_log is for the type oci"
    annotations = entry.get("allowed_annotations", [])
    for name in annotations if _is_texts(annotations) else ():
        if name not in ANNOTATIONS:
            yield f"invalid allowed_annotation {name}"


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
