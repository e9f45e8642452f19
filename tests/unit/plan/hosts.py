"""Hosts for the tests of the planner: the recorded one, and small ones that are built field by field."""

import json
from pathlib import Path

import msgspec

from linkspan.facts.model import (
    Config,
    DeviceNode,
    Driver,
    File,
    Gpu,
    HostFacts,
    Library,
    Link,
    MigDevice,
)

GOLDEN = Path(__file__).parents[2] / "golden"
VERSION = "550.163.01"
ROOT = "/driver-root"
FOLDER = "/usr/lib/x86_64-linux-gnu"

_BINARIES = ("smi", "debugdump", "persistenced", "cuda-mps-control", "cuda-mps-server")


def changed(value, **fields):
    """The same value with other fields."""
    return msgspec.structs.replace(value, **fields)


def node(path, minor=0, major=195, **fields):
    return DeviceNode(path=path, host_path=path, major=major, minor=minor, **fields)


def library(name, soname="", folder=FOLDER, links=(), bits=64):
    path = f"{folder}/{name}"
    made = tuple(Link(path=f"{folder}/{link}", target=name) for link in links)
    return Library(path=path, host_path=path, soname=soname, bits=bits, links=made)


def gpu(index, minor=None, mig=(), mig_enabled=False, **fields):
    minor = index if minor is None else minor
    return Gpu(
        index=index,
        minor=minor,
        uuid=f"GPU-{index:08x}-aaaa-bbbb-cccc-000000000000",
        name="NVIDIA H100 80GB HBM3",
        pci_bus_id=f"00000000:{0x1A + index:02X}:00.0",
        path=f"/dev/nvidia{minor}",
        brand="Nvidia",
        compute_capability="9.0",
        mig=tuple(mig),
        mig_enabled=mig_enabled or bool(mig),
        **fields,
    )


def mig(index, parent, gi=1, ci=0, **fields):
    caps = (
        f"/dev/nvidia-caps/nvidia-cap{10 * parent + 2 * index}",
        f"/dev/nvidia-caps/nvidia-cap{10 * parent + 2 * index + 1}",
    )
    return MigDevice(
        index=index, uuid=f"MIG-{parent}{index}000000-1111-2222-3333-444444444444", gi=gi, ci=ci, access=caps, **fields
    )


CONTROL = (
    node("/dev/nvidia-modeset", 254),
    node("/dev/nvidia-uvm", 0, 510),
    node("/dev/nvidia-uvm-tools", 1, 510),
    node("/dev/nvidiactl", 255),
)
LIBRARIES = (
    library(f"libcuda.so.{VERSION}", "libcuda.so.1", links=("libcuda.so.1", "libcuda.so")),
    library(f"libnvidia-ml.so.{VERSION}", "libnvidia-ml.so.1", links=("libnvidia-ml.so.1",)),
)


def host(*gpus, devices=(), **fields):
    """A host with these GPUs, their nodes and those of their MIG devices, and a driver of two libraries."""
    own = [node(found.path, found.minor) for found in gpus]
    caps = [node(path, 100, 235) for found in gpus for part in found.mig for path in part.access]
    defaults = {
        "platform": "nvml",
        "arch": "x86_64",
        "driver": Driver(version=VERSION, cuda_version="12.4"),
        "libraries": LIBRARIES,
        "library_folders": (FOLDER,),
    }
    return HostFacts(gpus=gpus, devices=(*own, *caps, *CONTROL, *devices), **(defaults | fields))


def h100x8():
    """The recorded host of ``tests/golden/h100x8-550``, as facts."""
    entries = {entry["path"]: entry for entry in json.loads((GOLDEN / "h100x8-550/host.json").read_text())}
    nvml = json.loads((GOLDEN / "h100x8-550/nvml.json").read_text())
    files = [path for path, entry in entries.items() if entry["type"] == "file"]
    return HostFacts(
        root=ROOT,
        dev_root=ROOT,
        platform="nvml",
        arch="x86_64",
        driver=Driver(version=nvml["driver_version"], cuda_version=nvml["cuda_version"]),
        devices=tuple(_node(entry) for entry in entries.values() if entry["type"] == "char"),
        gpus=tuple(Gpu(path=f"/dev/nvidia{found['minor']}", **found) for found in nvml["gpus"]),
        libraries=tuple(_library(entries, path) for path in files if _is_of_the_driver(path)),
        library_folders=(FOLDER,),
        binaries=tuple(_file(f"/usr/bin/nvidia-{name}") for name in _BINARIES),
        firmware=tuple(_file(path) for path in files if path.endswith(".bin")),
        configs=tuple(_config(path) for path in files if path.endswith((".json", ".icd"))),
    )


def _is_of_the_driver(path):
    return path.endswith(f".so.{VERSION}") or "/libnvidia-egl-" in path or "/libnvidia-api" in path


def _node(entry):
    path, mode = entry["path"], int(entry["mode"], 8)
    return DeviceNode(path=path, host_path=ROOT + path, major=entry["major"], minor=entry["minor"], mode=mode)


def _file(path):
    return File(path=path, host_path=ROOT + path)


def _config(path):
    return Config(path=path, host_path=ROOT + path, container_path=path.replace("/usr/share/vulkan", "/etc/vulkan"))


def _library(entries, path):
    folder = path.rpartition("/")[0]

    def end(entry):
        while entry["type"] == "symlink":
            entry = entries[f"{entry['path'].rpartition('/')[0]}/{entry['target']}"]
        return entry["path"]

    links = [e for e in entries.values() if e["type"] == "symlink" and e["path"].rpartition("/")[0] == folder]
    leading = tuple(Link(path=e["path"], target=e["target"]) for e in links if end(e) == path)
    return Library(path=path, host_path=ROOT + path, soname=entries[path]["soname"], links=leading)
