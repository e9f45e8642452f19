"""The WSL2 guest: its GPUs are behind /dev/dxg, and its driver's files come from Windows."""

from linkspan.sim import elfwriter
from linkspan.sim.driver_side import Native
from linkspan.sim.spec import SimSpec
from linkspan.sim.tree import File, Link, Node, Tree, text

LIBRARIES = "/usr/lib/wsl/lib"
STORE = "/usr/lib/wsl/drivers/nv_dispi.inf_amd64_5f7c1f1b2a3d4e60"
"""The driver store that Windows shares, named after the driver package that it holds."""
STORED = (
    *("libcuda_loader.so", "libnvidia-ptxjitcompiler.so.1", "libnvidia-ml_loader.so", "libnvdxgdmal.so.1"),
    *("libnvidia-encode.so.1", "libnvidia-opticalflow.so.1", "libnvcuvid.so.1"),
)
DXG_MINOR = 125
MISC_MAJOR = 10


def tree(spec: SimSpec, native: Native) -> Tree:
    """All of it: there is no /proc/driver/nvidia and no module, and libraries have no version in their names."""
    files: Tree = {
        f"{LIBRARIES}/libdxcore.so": File(elfwriter.shared_object("libdxcore.so")),
        f"{LIBRARIES}/libcuda.so.1.1": File(native.cuda),
        f"{LIBRARIES}/libcuda.so.1": Link("libcuda.so.1.1"),
        f"{LIBRARIES}/libcuda.so": Link("libcuda.so.1.1"),
        f"{LIBRARIES}/libnvidia-ml.so.1": File(native.nvml),
        f"{LIBRARIES}/nvidia-smi": File(native.smi, 0o755),
        f"{STORE}/libcuda.so.1.1": File(native.cuda),
        f"{STORE}/libnvidia-ml.so.1": File(native.nvml),
        f"{STORE}/nvidia-smi": File(native.smi, 0o755),
        f"{STORE}/nvcubins.bin": text("simulated nvcubins.bin\n"),
    }
    files |= {f"{STORE}/{name}": File(elfwriter.shared_object(name)) for name in STORED}
    kernel: Tree = {
        "/dev/dxg": Node(MISC_MAJOR, DXG_MINOR),
        "/proc/devices": text(f"Character devices:\n  1 mem\n {MISC_MAJOR} misc\n\nBlock devices:\n  7 loop\n"),
        "/proc/modules": text(""),
        "/proc/version": text(f"Linux version 5.15.167.4-microsoft-standard-WSL2, driver {spec.driver_version}\n"),
        "/etc/os-release": text('PRETTY_NAME="Ubuntu 24.04 LTS"\nID=ubuntu\nVERSION_ID="24.04"\n'),
    }
    return files | kernel
