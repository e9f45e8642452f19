"""GPU containers of a simulated host as they look from outside, and what dockerd keeps of containers."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from linkspan.formats import ldcache
from linkspan.sim import elfwriter
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.processes import container, container_id
from linkspan.sim.spec import NVIDIA_MAJOR, UVM_MAJOR
from linkspan.sim.tree import Entry, File, Link, Node, Tree, text

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
COMPUTE = ("libcuda", "libnvidia-ptxjitcompiler", "libnvidia-nvvm")
UTILITY = ("libnvidia-ml", "libnvidia-cfg")
VIDEO = ("libnvcuvid", "libnvidia-encode")
GRAPHICS = ("libGLX_nvidia", "libEGL_nvidia", "libnvidia-glcore")
GPU_ENV = {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
_NUMBERS = {"libGLX_nvidia": 0, "libEGL_nvidia": 0, "libnvidia-nvvm": 4}


def library(name: str) -> File:
    """Some library of an image."""
    return File(elfwriter.shared_object(name))


def soname(stem: str) -> str:
    """The name by which programs load a library of the driver."""
    return f"{stem}.so.{_NUMBERS.get(stem, 1)}"


def driver_files(stems: Iterable[str], version: str, folder: str = LIBRARIES) -> Tree:
    """Libraries of a driver with their links."""
    made: Tree = {}
    for stem in stems:
        made[f"{folder}/{stem}.so.{version}"] = library(soname(stem))
        made[f"{folder}/{soname(stem)}"] = Link(f"{stem}.so.{version}")
    return made


def cache(places: Mapping[str, str]) -> Tree:
    """A loader's cache that knows these libraries, by name."""
    flags = ldcache.flags_for(elfwriter.EM_X86_64, 64)
    return {"/etc/ld.so.cache": File(ldcache.render([(name, path, flags, 0, 0) for name, path in places.items()]))}


def gpu_container(
    machine: Machine,
    pid: int,
    *,
    env: Mapping[str, str] | None = None,
    stems: Iterable[str] = (*COMPUTE, *UTILITY),
    files: Mapping[str, Entry] | None = None,
    gpus: Iterable[int] = (0,),
    mounts: Iterable[str] = (),
    **more: Any,
) -> None:
    """Start a container with the host's GPUs of these minors: nodes in its /dev, libraries of these stems mounted.

    ``files`` are its image's, which stand where nothing is mounted. ``mounts`` are more paths that are mounted.
    """
    version = machine.spec.driver_version
    injected = driver_files(stems, version)
    nodes: Tree = {f"/dev/nvidia{minor}": Node(NVIDIA_MAJOR, minor) for minor in gpus}
    nodes |= {"/dev/nvidiactl": Node(NVIDIA_MAJOR, 255), "/dev/nvidia-uvm": Node(UVM_MAJOR, 0)}
    known = {path.rpartition("/")[2]: path for path, entry in injected.items() if isinstance(entry, Link)}
    mounted = [*(path for path, entry in injected.items() if isinstance(entry, File)), *mounts]
    tree = container(
        pid,
        env={**GPU_ENV, **(env or {})},
        files={**cache(known), **(files or {}), **injected, **nodes},
        mountinfo=mountinfo(mounted),
        **more,
    )
    machine.put(tree, RECENTLY)


def mountinfo(paths: Iterable[str]) -> str:
    """A container's root, and files of the host that are mounted in it."""
    rows = ["500 400 0:55 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/AA\n"]
    rows += [f"{501 + n} 500 8:1 {path} {path} ro,nosuid,nodev,relatime - ext4 /dev/sda1 rw\n"
             for n, path in enumerate(paths)]  # fmt: skip
    return "".join(rows)


def kept_by_docker(
    machine: Machine,
    number: int,
    name: str,
    *,
    error: str = "",
    env: Mapping[str, str] | None = None,
    argv: tuple[str, ...] = ("nvidia-smi",),
    runtime: str = "runc",
    requests: Iterable[Mapping[str, Any]] = (),
    rules: Iterable[str] = (),
    labels: Mapping[str, str] | None = None,
    running: bool = False,
    mounts: Mapping[str, str] | None = None,
    root: str = "/var/lib/docker",
) -> None:
    """What dockerd keeps of a container; one with an ``error`` could not be started.

    ``mounts`` are paths of the host by their place in it.
    """
    found = container_id(number)
    folder = f"{root}/containers/{found}"
    state = {"Running": running, "Pid": number if running else 0, "ExitCode": 128 if error else 0, "Error": error}
    variables = [f"{key}={value}" for key, value in (env or {}).items()]
    config = {
        "StreamConfig": {},
        "State": state,
        "ID": found,
        "Path": argv[0],
        "Args": list(argv[1:]),
        "Config": {"Hostname": found[:12], "Env": variables, "Cmd": list(argv), "Image": "app:1", "Labels": labels},
        "Name": f"/{name}",
        "Driver": "overlay2",
        "MountPoints": {
            place: {"Type": "bind", "Source": source, "Destination": place, "RW": True}
            for place, source in (mounts or {}).items()
        },
    }
    asked = {
        "Runtime": runtime,
        "Privileged": False,
        "DeviceRequests": list(requests) or None,
        "DeviceCgroupRules": list(rules) or None,
    }
    files: Tree = {
        f"{folder}/config.v2.json": text(json.dumps(config)),
        f"{folder}/hostconfig.json": text(json.dumps(asked)),
    }
    machine.put(files, RECENTLY)


ALL_GPUS = {"Driver": "", "Count": -1, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": {}}
"""What the docker program makes of ``--gpus all``."""
