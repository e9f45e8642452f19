"""Device nodes: those of the driver stack that exist, by lstat of each, and which of them belong to which GPU."""

import posixpath

from linkspan.facts.host import HostReader, Survey, glob
from linkspan.facts.model import DeviceNode, Link

CONTROL = ("/dev/nvidiactl", "/dev/nvidia-modeset", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")
"""Nodes that every container with a GPU gets (contract 5.3.2)."""
CAPS = "/dev/nvidia-caps"
IMEX = "/dev/nvidia-caps-imex-channels"
DXG = "/dev/dxg"
"""The one node of WSL2, where no other of them is to be expected."""

GATED = {
    "GDS": "/dev/nvidia-fs*",
    "GDRCopy": "/dev/gdrdrv",
    "MOFED": "/dev/infiniband/uverbs*",
    "NVSwitch": "/dev/nvidia-nvswitch*",
    "IMEX channels": f"{IMEX}/channel*",
}
"""What is given only to who asks for it by name, and the nodes it consists of (contract 5.5)."""
_PATTERNS = (
    "/dev/nvidia*",
    f"{CAPS}/nvidia-cap*",
    f"{IMEX}/channel*",
    "/dev/gdrdrv",
    "/dev/infiniband/uverbs*",
    "/dev/infiniband/rdma_cm",
    DXG,
)


def collect(survey: Survey) -> tuple[DeviceNode, ...]:
    """The character devices of the stack below the device root, other than DRM's, in natural order."""
    paths = {path for pattern in _PATTERNS for path in glob(survey.nodes, pattern)}
    nodes = [found for path in sorted(paths, key=natural) if (found := node(survey.nodes, path))]
    present = {found.path for found in nodes}
    if DXG not in present:
        _miss(survey, present)
    return tuple(nodes)


def _miss(survey: Survey, present: set[str]) -> None:
    for path in CONTROL:
        if path not in present:
            survey.miss(path, "there is no such device node")
    for part, pattern in GATED.items():
        if not present.intersection(glob(survey.nodes, pattern)):
            survey.miss(part, f"there is no device node {pattern}", optional=True)


def node(host: HostReader, path: str) -> DeviceNode | None:
    """The character device at a path, symlinks not followed; None for anything else."""
    found = host.status(path)
    if found is None or found.kind != "char":
        return None
    return DeviceNode(
        path=path,
        host_path=host.root + path,
        major=found.major,
        minor=found.minor,
        mode=found.mode,
        uid=found.uid,
        gid=found.gid,
    )


def drm(survey: Survey, pci_bus_id: str) -> tuple[tuple[DeviceNode, ...], tuple[Link, ...]]:
    """The DRM nodes of the GPU at a PCI address, and the links below by-path that lead to them (contract 5.4).

    ``/sys/bus/pci/devices/BUS/drm`` lists them, so index and minor of the GPU play no part (contract 9.2 #9).
    """
    names = survey.kernel.names(f"/sys/bus/pci/devices/{sysfs_bus_id(pci_bus_id)}/drm")
    nodes = [found for name in names if (found := node(survey.nodes, f"/dev/dri/{name}"))]
    present = {found.path for found in nodes}
    links = []
    for ending in ("card", "render"):
        path = f"/dev/dri/by-path/pci-{sysfs_bus_id(pci_bus_id)}-{ending}"
        target = survey.nodes.link(path)
        if target and posixpath.normpath(posixpath.join("/dev/dri/by-path", target)) in present:
            links.append(Link(path=path, target=target))
    return tuple(nodes), tuple(links)


def sysfs_bus_id(pci_bus_id: str) -> str:
    """The address as sysfs writes it: NVML's ``00000000:1A:00.0`` is ``0000:1a:00.0``."""
    domain, _, rest = pci_bus_id.lower().partition(":")
    return f"{domain.lstrip('0').rjust(4, '0')}:{rest}"


def natural(path: str) -> tuple[str, str, int]:
    """The key that sorts ``/dev/nvidia2`` before ``/dev/nvidia10``."""
    stem = path.rstrip("0123456789")
    return posixpath.dirname(path), stem, int(path[len(stem) :] or -1)
