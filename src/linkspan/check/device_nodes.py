"""The device nodes that a host should have, by what its kernel says, and what is wrong with those that it has."""

from typing import NamedTuple

from linkspan.check import bridge
from linkspan.check.model import Action, MakeNode
from linkspan.check.scene import Scene
from linkspan.facts.model import Gpu
from linkspan.facts.nodes import sysfs_bus_id

NVIDIA_MAJOR = 195
"""Fixed by the kernel's list of devices (Documentation/admin-guide/devices.txt)."""
OPERATORS_ROOT = "/run/nvidia/driver"
CONTROL_MINOR, MODESET_MINOR = 255, 254
"""nv-linux.h of the open kernel modules."""
_FAMILIES = (
    ("/dev/nvidia-uvm", ("nvidia-uvm",)),
    ("/dev/nvidia-caps-imex-channels/", ("nvidia-caps-imex-channels",)),
    ("/dev/nvidia-caps/", ("nvidia-caps",)),
    ("/dev/nvidia-nvswitch", ("nvidia-nvswitch",)),
    ("/dev/nvidia-fs", ("nvidia-fs",)),
    ("/dev/nvidiactl", ("nvidia", "nvidia-frontend")),
    ("/dev/nvidia-modeset", ("nvidia", "nvidia-frontend")),
)
"""Beginnings of paths, the longer first, and the names by which /proc/devices has their major."""


class Wanted(NamedTuple):
    """A node that should be there."""

    path: str
    major: int
    minor: int
    mode: int = 0o666


def basic(scene: Scene) -> list[Wanted]:
    """The control node, and one for each GPU that the driver has; none where they belong elsewhere (``is_here``)."""
    major = nvidia_major(scene)
    used = [gpu for gpu in driven(scene) if not _is_excluded(scene, gpu)] if is_here(scene) else []
    gpus = [Wanted(f"/dev/nvidia{gpu.minor}", major, gpu.minor) for gpu in used]
    return [Wanted("/dev/nvidiactl", major, CONTROL_MINOR), *gpus] if gpus else []


def driven(scene: Scene) -> tuple[Gpu, ...]:
    """The GPUs that the loaded driver has and uses. Below WSL2 and on Tegra there are other nodes."""
    return () if scene.facts.platform in ("wsl", "tegra") or not scene.has_driver else scene.facts.gpus


def is_here(scene: Scene) -> bool:
    """False where the driver's user space is a container's (GPU operator), below whose root its nodes are, too."""
    return not scene.eyes.exists(f"{OPERATORS_ROOT}/dev")


def _is_excluded(scene: Scene, gpu: Gpu) -> bool:
    """True for a GPU that the driver was told to leave alone (NVreg_ExcludedGpus): it has no node."""
    path = f"/proc/driver/nvidia/gpus/{sysfs_bus_id(gpu.pci_bus_id)}/information"
    lines = (scene.eyes.text(path) or "").splitlines()
    return any(line.startswith("GPU Excluded:") and line.endswith("Yes") for line in lines)


def unified(scene: Scene) -> list[Wanted]:
    """The two nodes of nvidia-uvm, where its module is loaded."""
    major = scene.facts.majors.get("nvidia-uvm")
    if major is None or not basic(scene):
        return []
    return [Wanted("/dev/nvidia-uvm", major, 0), Wanted("/dev/nvidia-uvm-tools", major, 1)]


def nvidia_major(scene: Scene) -> int:
    """The major of GPUs and control nodes."""
    majors = scene.facts.majors
    return next((majors[name] for name in ("nvidia", "nvidia-frontend") if name in majors), NVIDIA_MAJOR)


def absent(scene: Scene, wanted: list[Wanted]) -> list[Wanted]:
    """Those that are not there."""
    return [one for one in wanted if scene.eyes.status(one.path) is None]


def make(wanted: list[Wanted]) -> tuple[Action, ...]:
    """What makes them, mode as the driver would (``DeviceFileMode``)."""
    return tuple(MakeNode(path=one.path, major=one.major, minor=one.minor, mode=one.mode) for one in wanted)


def proper_major(scene: Scene, path: str) -> int | None:
    """The major that a node should have by /proc/devices; None where that does not tell."""
    names = next((names for start, names in _FAMILIES if path.startswith(start)), ())
    if path.removeprefix("/dev/nvidia").isdecimal():
        names = ("nvidia", "nvidia-frontend")
    return next((scene.facts.majors[name] for name in names if name in scene.facts.majors), None)


def made_at_start(scene: Scene) -> bool:
    """True where NVIDIA's hook loads modules and makes nodes itself, when root's Docker first starts a container."""
    root = [engine for engine in bridge.nvidias(scene, "docker") if not engine.rootless]
    return bool(root) and scene.toolkit.nvidia_container_cli.load_kmods


def only_rootless(scene: Scene) -> bool:
    """True where the only daemons of engines are those of users, who can neither load modules nor make nodes."""
    running = [engine for engine in scene.engines if engine.process is not None]
    return bool(running) and all(engine.rootless for engine in running)
