"""What CRI-O itself demands of its runtimes before it starts, for machines that cannot have a CRI-O.

After ``RuntimeHandler.Validate`` and ``RuntimeConfig.ValidateDefaultRuntime`` of its configuration package; it shares
no code with linkspan.
"""

import re
import tomllib
from collections.abc import Container, Iterable
from typing import Any

BUILT_IN = {"crun": {"runtime_path": ""}}
"""The runtime that is there without being configured; the default where none is named."""
TYPES = ("", "oci", "vm", "pod")
SHIM = re.compile(r"containerd-shim-([a-zA-Z0-9\-+])+-v2")
TEXTS = ("runtime_path", "runtime_type", "runtime_root", "monitor_path", "monitor_cgroup", "runtime_config_path")
LISTS = ("allowed_annotations", "monitor_env", "disallowed_annotations")


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


def problems(
    runtime: dict[str, Any], programs: Container[str], on_path: Container[str] = ("crun", "runc")
) -> list[str]:
    """Why CRI-O would not start with this table, on a host that has these programs; empty where it would."""
    said = []
    default = runtime.get("default_runtime", "")
    if default and default not in runtime["runtimes"]:
        said.append(f"default_runtime set to {default!r}, but there is no such runtime")
    for name, entry in runtime["runtimes"].items():
        said += [f"{name}: {problem}" for problem in _of_entry(name, entry, programs, on_path)]
    return said


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
    if kind not in TYPES:
        yield f"invalid runtime_type {kind!r}"
    if kind == "vm" and not SHIM.search(str(path).rpartition("/")[2]):
        yield "the program of a vm has to be named as containerd's shims are"


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
