"""A Jetson board with JetPack 5 (L4T R35): its GPU is part of the chip, and CSV files list what a container needs."""

from linkspan.sim import elfwriter
from linkspan.sim.spec import SimSpec
from linkspan.sim.tree import File, Link, Node, Tree, text

LIBRARIES = "/usr/lib/aarch64-linux-gnu/tegra"
CSV = "/etc/nvidia-container-runtime/host-files-for-container.d"
NODES = {
    "/dev/nvhost-ctrl": (508, 0),
    "/dev/nvhost-ctrl-gpu": (505, 1),
    "/dev/nvhost-gpu": (505, 2),
    "/dev/nvhost-as-gpu": (505, 3),
    "/dev/nvhost-prof-gpu": (505, 6),
    "/dev/nvmap": (10, 60),
}
_LIBRARIES = (
    "libcuda.so.1.1",
    "libnvrm_gpu.so",
    "libnvrm_mem.so",
    "libnvos.so",
    "libnvcuvid.so",
    "libnvdla_runtime.so",
)
MORE = ("/usr/lib/aarch64-linux-gnu/libcublas.so.11", "/usr/lib/aarch64-linux-gnu/libcudnn.so.8")


def tree(spec: SimSpec) -> Tree:
    """All of it; there is no PCI device and no NVML."""
    files: Tree = {f"{LIBRARIES}/{name}": _library(name) for name in _LIBRARIES}
    files |= {f"{LIBRARIES}/libcuda.so.1": Link("libcuda.so.1.1"), f"{LIBRARIES}/libcuda.so": Link("libcuda.so.1.1")}
    files |= {path: _library(path.rpartition("/")[2]) for path in MORE}
    return files | _release() | _kernel() | _lists()


def _library(name: str) -> File:
    return File(elfwriter.shared_object(name, elfwriter.EM_AARCH64))


def _release() -> Tree:
    line = "# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref, EABI: aarch64\n"
    return {
        "/etc/nv_tegra_release": text(line),
        "/etc/os-release": text('PRETTY_NAME="Ubuntu 20.04.6 LTS"\nID=ubuntu\nVERSION_ID="20.04"\n'),
        "/sys/devices/soc0/family": text("Tegra\n"),
        "/sys/devices/soc0/machine": text("NVIDIA Jetson AGX Orin\n"),
    }


def _kernel() -> Tree:
    devices = "Character devices:\n  1 mem\n 10 misc\n505 nvhost-gpu\n508 nvhost\n\nBlock devices:\n  7 loop\n"
    modules = "nvgpu 2523136 24 - Live 0x0000000000000000\nnvmap 192512 81 nvgpu, Live 0x0000000000000000\n"
    nodes: Tree = {path: Node(major, minor) for path, (major, minor) in NODES.items()}
    return nodes | {"/proc/devices": text(devices), "/proc/modules": text(modules)}


def _lists() -> Tree:
    """JetPack's CSV files: nodes and the driver for every container, CUDA and cuDNN for old images."""
    drivers = [*(f"lib, {LIBRARIES}/{name}" for name in _LIBRARIES), f"sym, {LIBRARIES}/libcuda.so.1"]
    return {
        f"{CSV}/devices.csv": text("".join(f"dev, {path}\n" for path in NODES)),
        f"{CSV}/drivers.csv": text("".join(f"{line}\n" for line in drivers)),
        f"{CSV}/cuda.csv": text(f"lib, {MORE[0]}\n"),
        f"{CSV}/cudnn.csv": text(f"lib, {MORE[1]}\n"),
    }
