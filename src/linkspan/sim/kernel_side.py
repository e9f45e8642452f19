"""What the kernel shows of a simulated host: /dev, /proc and /sys, as the driver's modules fill them."""

from collections.abc import Iterator

from linkspan.sim.spec import (
    CAPS_MAJOR,
    CAPS_OF_GPU,
    CAPS_OF_INSTANCE,
    FIRST_CAP,
    IMEX_MAJOR,
    NVIDIA_MAJOR,
    UVM_MAJOR,
    SimGpu,
    SimSpec,
)
from linkspan.sim.tree import Link, Node, Tree, text

DRM_MAJOR = 226
FIRST_RENDER_MINOR = 128
GDS_MAJOR, GDS_NODES = 508, 16
GDRCOPY_MAJOR = 509
NVSWITCH_MAJOR, NVSWITCHCTL_MINOR = 506, 255
UVERBS_MAJOR, FIRST_UVERBS_MINOR = 231, 192
MISC_MAJOR, RDMA_CM_MINOR = 10, 58
FIRST_FRONTEND_FREE_BRANCH = 550
"""Until then /proc/devices said ``nvidia-frontend``."""
NUMBERED_GPUS = 32
"""How many GPUs mig-minors lists, whatever the host has (nv-caps.c of the open kernel modules)."""


def tree(spec: SimSpec, gpus: tuple[SimGpu, ...]) -> Tree:
    """All of it for one host."""
    return {**_nodes(spec, gpus), **_proc(spec, gpus), **_sys(spec, gpus)}


def _nodes(spec: SimSpec, gpus: tuple[SimGpu, ...]) -> Tree:
    nodes: Tree = {
        "/dev/nvidiactl": Node(NVIDIA_MAJOR, 255),
        "/dev/nvidia-modeset": Node(NVIDIA_MAJOR, 254),
        "/dev/nvidia-uvm": Node(UVM_MAJOR, 0),
        "/dev/nvidia-uvm-tools": Node(UVM_MAJOR, 1),
        **{f"/dev/nvidia{gpu.minor}": Node(NVIDIA_MAJOR, gpu.minor) for gpu in gpus},
        **{f"/dev/nvidia-caps/nvidia-cap{minor}": Node(CAPS_MAJOR, minor, 0o444) for minor in _caps(gpus).values()},
    }
    if spec.drm:
        nodes |= _drm_nodes(gpus)
    return nodes | dict(_optional_nodes(spec))


def _optional_nodes(spec: SimSpec) -> Iterator[tuple[str, Node]]:
    for channel in range(spec.imex_channels):
        yield f"/dev/nvidia-caps-imex-channels/channel{channel}", Node(IMEX_MAJOR, channel)
    for switch in range(spec.nvswitches):
        yield f"/dev/nvidia-nvswitch{switch}", Node(NVSWITCH_MAJOR, switch)
    if spec.nvswitches:
        yield "/dev/nvidia-nvswitchctl", Node(NVSWITCH_MAJOR, NVSWITCHCTL_MINOR)
    for unit in range(GDS_NODES if spec.gds else 0):
        yield f"/dev/nvidia-fs{unit}", Node(GDS_MAJOR, unit)
    if spec.gdrcopy:
        yield "/dev/gdrdrv", Node(GDRCOPY_MAJOR, 0)
    if spec.infiniband:
        for unit in range(2):
            yield f"/dev/infiniband/uverbs{unit}", Node(UVERBS_MAJOR, FIRST_UVERBS_MINOR + unit)
        yield "/dev/infiniband/rdma_cm", Node(MISC_MAJOR, RDMA_CM_MINOR)


def _drm_name(gpu: SimGpu) -> tuple[str, str]:
    # card0 is the board's own graphics, as on most servers, which has no render node.
    return f"card{gpu.index + 1}", f"renderD{FIRST_RENDER_MINOR + gpu.index}"


def _drm_nodes(gpus: tuple[SimGpu, ...]) -> Tree:
    nodes: Tree = {}
    for gpu in gpus:
        card, render = _drm_name(gpu)
        nodes[f"/dev/dri/{card}"] = Node(DRM_MAJOR, gpu.index + 1)
        nodes[f"/dev/dri/{render}"] = Node(DRM_MAJOR, FIRST_RENDER_MINOR + gpu.index)
        nodes[f"/dev/dri/by-path/pci-{gpu.bus_id}-card"] = Link(f"../{card}")
        nodes[f"/dev/dri/by-path/pci-{gpu.bus_id}-render"] = Link(f"../{render}")
    return nodes


def _caps(gpus: tuple[SimGpu, ...]) -> dict[str, int]:
    """The MIG capabilities that exist, named as below /proc/driver/nvidia/capabilities, with their minors."""
    if not any(gpu.mig for gpu in gpus):
        return {}
    caps = {"mig/config": 1, "mig/monitor": 2}
    for gpu in gpus:
        for mig in gpu.mig:
            caps[f"gpu{gpu.minor}/mig/gi{mig.gi}/access"] = mig.gi_cap
            caps[f"gpu{gpu.minor}/mig/gi{mig.gi}/ci{mig.ci}/access"] = mig.ci_cap
    return caps


def _mig_minors(gpus: tuple[SimGpu, ...]) -> Iterator[str]:
    yield from ("config 1", "monitor 2")
    for gpu in range(max(NUMBERED_GPUS, len(gpus))):
        for gi in range(CAPS_OF_GPU // CAPS_OF_INSTANCE):
            first = FIRST_CAP + gpu * CAPS_OF_GPU + gi * CAPS_OF_INSTANCE
            yield f"gpu{gpu}/gi{gi}/access {first}"
            yield from (f"gpu{gpu}/gi{gi}/ci{ci}/access {first + 1 + ci}" for ci in range(CAPS_OF_INSTANCE - 1))


def version_text(version: str, *, is_open: bool) -> str:
    """/proc/driver/nvidia/version."""
    kind = "Open Kernel Module for x86_64" if is_open else "x86_64 Kernel Module"
    return f"NVRM version: NVIDIA UNIX {kind}  {version}  simulated by linkspan\nGCC version:\n"


def _proc(spec: SimSpec, gpus: tuple[SimGpu, ...]) -> Tree:
    proc: Tree = {
        "/proc/driver/nvidia/version": text(version_text(spec.driver_version, is_open=spec.open_modules)),
        "/proc/driver/nvidia/params": text(PARAMS),
        "/proc/driver/nvidia/registry": text('Binary: ""\n'),
        "/proc/devices": text(_devices(spec, gpus)),
        "/proc/modules": text(_modules(spec)),
    }
    for gpu in gpus:
        proc[f"/proc/driver/nvidia/gpus/{gpu.bus_id}/information"] = text(_information(spec, gpu))
    for name, minor in _caps(gpus).items():
        content = f"DeviceFileMinor: {minor}\nDeviceFileMode: {0o444}\nDeviceFileModify: 1\n"
        proc[f"/proc/driver/nvidia/capabilities/{name}"] = text(content)
    if spec.gpu_model.profiles:
        proc["/proc/driver/nvidia-caps/mig-minors"] = text("".join(f"{line}\n" for line in _mig_minors(gpus)))
    return proc


PARAMS = """\
ResmanDebugLevel: 4294967295
RmLogonRC: 1
ModifyDeviceFiles: 1
DeviceFileUID: 0
DeviceFileGID: 0
DeviceFileMode: 438
InitializeSystemMemoryAllocations: 1
UsePageAttributeTable: 4294967295
EnableMSI: 1
EnablePCIeGen3: 0
MemoryPoolSize: 0
EnableStreamMemOPs: 0
OpenRmEnableUnsupportedGpus: 1
GpuBlacklist: ""
ExcludedGpus: ""
"""


def _information(spec: SimSpec, gpu: SimGpu) -> str:
    return (
        f"Model: \t\t {gpu.model.name}\n"
        f"IRQ:   \t\t {64 + gpu.index}\n"
        f"GPU UUID: \t {gpu.uuid}\n"
        "Video BIOS: \t ??.??.??.??.??\n"
        "Bus Type: \t PCIe\n"
        "DMA Size: \t 52 bits\n"
        "DMA Mask: \t 0xfffffffffffff\n"
        f"Bus Location: \t {gpu.bus_id}\n"
        f"Device Minor: \t {gpu.minor}\n"
        f"GPU Firmware: \t {spec.driver_version}\n"
        "GPU Excluded:\t No\n"
    )


def _devices(spec: SimSpec, gpus: tuple[SimGpu, ...]) -> str:
    branch = int(spec.driver_version.partition(".")[0])
    frontend = "nvidia" if branch >= FIRST_FRONTEND_FREE_BRANCH else "nvidia-frontend"
    lines = ["  1 mem", f" {MISC_MAJOR} misc", f"{NVIDIA_MAJOR} {frontend}"]
    lines += [f"{DRM_MAJOR} drm"] * spec.drm
    lines += [f"{UVERBS_MAJOR} infiniband_verbs"] * spec.infiniband
    lines += [f"{NVSWITCH_MAJOR} nvidia-nvswitch"] * bool(spec.nvswitches)
    lines += [f"{IMEX_MAJOR} nvidia-caps-imex-channels"] * bool(spec.imex_channels)
    lines += [f"{GDS_MAJOR} nvidia-fs"] * spec.gds + [f"{GDRCOPY_MAJOR} gdrdrv"] * spec.gdrcopy
    lines += [f"{UVM_MAJOR} nvidia-uvm"] + [f"{CAPS_MAJOR} nvidia-caps"] * bool(spec.gpu_model.profiles)
    return "\n".join(["Character devices:", *lines, "", "Block devices:", "  7 loop", ""])


def _modules(spec: SimSpec) -> str:
    rows = [("nvidia_uvm", 1523712, "-")]
    rows += [("nvidia_fs", 262144, "-")] * spec.gds + [("gdrdrv", 36864, "-")] * spec.gdrcopy
    rows += [("nvidia_drm", 77824, "-")] * spec.drm
    rows += [("nvidia_modeset", 1314816, "nvidia_drm," if spec.drm else "-")]
    users = "".join(f"{name}," for name, _, _ in rows)
    rows += [("nvidia", 56807424, users)]
    return "".join(f"{name} {size} {users.count(',')} {users} Live 0x0000000000000000\n" for name, size, users in rows)


def _sys(spec: SimSpec, gpus: tuple[SimGpu, ...]) -> Tree:
    found: Tree = {"/sys/module/nvidia/version": text(f"{spec.driver_version}\n")}
    for gpu in gpus:
        folder = f"/sys/bus/pci/devices/{gpu.bus_id}"
        found[f"{folder}/vendor"] = text("0x10de\n")
        found[f"{folder}/device"] = text(f"{gpu.model.pci_device >> 16:#06x}\n")
        found[f"{folder}/subsystem_vendor"] = text(f"{gpu.model.pci_subsystem & 0xFFFF:#06x}\n")
        found[f"{folder}/subsystem_device"] = text(f"{gpu.model.pci_subsystem >> 16:#06x}\n")
        found[f"{folder}/class"] = text("0x030200\n")
        if spec.drm:
            card, render = _drm_name(gpu)
            found[f"{folder}/drm/{card}/dev"] = text(f"{DRM_MAJOR}:{gpu.index + 1}\n")
            found[f"{folder}/drm/{render}/dev"] = text(f"{DRM_MAJOR}:{FIRST_RENDER_MINOR + gpu.index}\n")
    return found
