"""What CRI-O itself demands of its runtimes, for machines that cannot have a CRI-O.

After ``Validate``, ``ValidateRuntimes`` and ``TranslateMonitorFields`` of its package ``pkg/config``, and after
crio.conf(5); it shares no code with linkspan. CRI-O does not start for a default runtime that breaks these rules, and
drops any other runtime that does.
"""

import os
import re
import tomllib
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

BUILT_IN = {"crun": {"runtime_path": ""}}
"""The runtime that is there without being configured; the default where none is named."""
ON_PATH = ("crun", "runc", "conmon")
TYPES = ("", "oci", "vm", "pod")
PLAIN = ("", "oci")
SHIM = re.compile(r"containerd-shim-([a-zA-Z0-9\-+])+-v2")
TEXTS = ("runtime_path", "runtime_type", "runtime_root", "monitor_path", "monitor_cgroup", "runtime_config_path")
LISTS = ("allowed_annotations", "monitor_env", "disallowed_annotations")
SWITCHES = ("no_sync_log", "stream_websockets", "inherit_default_runtime", "privileged_without_host_devices")
ANNOTATIONS = {
    *(f"io.kubernetes.cri-o.{name}" for name in (
        "userns-mode", "cgroup2-mount-hierarchy-rw", "UnifiedCgroup", "ShmSize", "Devices", "TrySkipVolumeSELinuxLabel",
        "seccompNotifierAction", "umask", "PodLinuxOverhead", "PodLinuxResources", "LinkLogs", "DisableFIPS",
    )),
    *(f"{name}.crio.io" for name in (
        "cpu-load-balancing", "cpu-quota", "irq-load-balancing", "cpu-c-states", "cpu-freq-governor", "cpu-shared",
    )),
    "io.containers.trace-syscall", "io.kubernetes.cri.rdt-class", "seccomp-profile.kubernetes.cri-o.io", "bundle",
    "org.systemd.property.", "org.criu.config", "module.wasm.image/variant", "io.kubernetes.cri.container-type",
    "run.oci.",
}  # fmt: skip
"""The only ones that may be allowed."""


def files(folder: str) -> list[str]:
    """The files of ``/etc/crio`` in CRI-O's order: crio.conf, then the drop-ins by name, whatever their ending."""
    drop_ins = os.path.join(folder, "crio.conf.d")
    paths = [os.path.join(folder, "crio.conf")]
    paths += [os.path.join(drop_ins, name) for name in sorted(os.listdir(drop_ins))] if os.path.isdir(drop_ins) else []
    return [_text(path) for path in paths if os.path.isfile(path)]


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def merged(texts: Iterable[str]) -> dict[str, Any]:
    """The table crio.runtime of files in the order in which they are read.

    Values replace each other, and so does a runtime's whole table: it is decoded into a new element of the map.
    """
    found: dict[str, Any] = {"runtimes": dict(BUILT_IN)}
    for text in texts:
        runtime = tomllib.loads(text.removeprefix("\ufeff")).get("crio", {}).get("runtime", {})
        runtimes = {**found["runtimes"], **runtime.get("runtimes", {})}
        found = {**found, **runtime, "runtimes": runtimes}
    return found


def problems(runtime: dict[str, Any], programs: Container[str], on_path: Container[str] = ON_PATH) -> list[str]:
    """Why CRI-O would refuse this table, or a runtime of it, on a host with these programs; empty where not."""
    default = runtime.get("default_runtime", "")
    said = list(_of_folders(runtime.get("cdi_spec_dirs", [])))
    if default and default not in runtime["runtimes"]:
        said.append(f"default_runtime set to {default!r}, but there is no such runtime")
    for name, entry in runtime["runtimes"].items():
        said += [f"{name}: {problem}" for problem in _of_entry(name, entry, runtime, Host(programs, on_path))]
    return said


class Host:
    """The programs of a host: by their paths, and by their names along PATH."""

    def __init__(self, programs: Container[str], on_path: Container[str]) -> None:
        self.programs, self.on_path = programs, on_path


def started(name: str, runtime: dict[str, Any], platform: str = "linux/amd64") -> str:
    """The program that CRI-O starts for a runtime: one that inherits has the default's, whatever it says itself."""
    entry = runtime["runtimes"][name]
    if entry.get("inherit_default_runtime"):
        entry = runtime["runtimes"].get(runtime.get("default_runtime") or "crun", {})
    return str(entry.get("platform_runtime_paths", {}).get(platform) or entry.get("runtime_path", ""))


def _of_folders(folders: Any) -> Iterator[str]:
    if not _is_texts(folders):
        yield "cdi_spec_dirs is no list of texts"
        return
    yield from (f"cdi_spec_dirs: {folder!r} is not absolute" for folder in folders if not folder.startswith("/"))


def _of_entry(name: str, entry: Any, runtime: dict[str, Any], host: Host) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield "is no table"
        return
    wrong = [*_of_kinds(entry)]
    yield from wrong
    if not wrong:
        for rule in (_path, _kind, _config_path, _annotations, _of_kind):
            yield from rule(name, entry, host)
        yield from _monitor(entry, runtime, host)


def _of_kinds(entry: dict[str, Any]) -> Iterator[str]:
    kinds: tuple[tuple[tuple[str, ...], Callable[[Any], bool], str], ...] = (
        (TEXTS, lambda value: isinstance(value, str), "no text"),
        (LISTS, _is_texts, "no list of texts"),
        (SWITCHES, lambda value: isinstance(value, bool), "no truth value"),
    )
    for keys, fits, words in kinds:
        yield from (f"{key} is {words}" for key in keys if key in entry and not fits(entry[key]))


def _path(name: str, entry: dict[str, Any], host: Host) -> Iterator[str]:
    path = entry.get("runtime_path", "")
    if not path and name not in host.on_path:
        yield "not found in $PATH"
    if path and not path.startswith("/"):
        yield f"runtime_path {path} is not absolute"
    elif path and path not in host.programs:
        yield f"invalid runtime_path {path}"


def _kind(_: str, entry: dict[str, Any], __: Host) -> Iterator[str]:
    kind, path = entry.get("runtime_type", ""), entry.get("runtime_path", "")
    if kind not in TYPES:
        yield f"invalid runtime_type {kind!r}"
    if kind == "vm" and not SHIM.search(path.rpartition("/")[2]):
        yield "the program of a vm has to be named as containerd's shims are"


def _config_path(_: str, entry: dict[str, Any], __: Host) -> Iterator[str]:
    if entry.get("runtime_config_path") and entry.get("runtime_type") != "vm":
        yield "runtime_config_path can only be used with the runtime type vm"


def _annotations(_: str, entry: dict[str, Any], __: Host) -> Iterator[str]:
    unknown = [item for item in entry.get("allowed_annotations", []) if item not in ANNOTATIONS]
    yield from (f"invalid allowed_annotation {item}" for item in unknown)


def _of_kind(_: str, entry: dict[str, Any], __: Host) -> Iterator[str]:
    kind = entry.get("runtime_type", "")
    if entry.get("no_sync_log") and kind not in PLAIN:
        yield "no_sync_log is for the runtime type oci alone"
    if entry.get("stream_websockets") and kind != "pod":
        yield "stream_websockets is for the runtime type pod alone"


def _monitor(entry: dict[str, Any], runtime: dict[str, Any], host: Host) -> Iterator[str]:
    """The monitor of a runtime that is no virtual machine's; ``conmon`` and ``conmon_cgroup`` of old overrule it."""
    if entry.get("runtime_type", "") not in PLAIN:
        return
    path = runtime.get("conmon") or entry.get("monitor_path", "")
    if path and path not in host.programs:
        yield f"invalid conmon path {path}"
    if not path and "conmon" not in host.on_path:
        yield "conmon not found in $PATH"
    group = runtime.get("conmon_cgroup") or entry.get("monitor_cgroup", "")
    if runtime.get("cgroup_manager") == "cgroupfs":
        if group not in ("", "pod", "system.slice"):
            yield f"monitor_cgroup {group} is not 'pod' or empty"
    elif group and group != "pod" and not group.endswith(".slice"):
        yield f"monitor_cgroup {group} is not 'pod' or a slice"


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
