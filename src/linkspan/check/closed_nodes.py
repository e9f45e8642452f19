"""Device nodes of the driver that not everybody may open, and who made them so."""

from linkspan.check.scene import Scene
from linkspan.facts.model import DeviceNode

VIRTUALGL = "/etc/modprobe.d/virtualgl.conf"
"""Written by vglserver_config (VirtualGL's User's Guide, 6.1)."""
VIRTUALGL_GROUP = "vglusers"
_ALWAYS_OPEN = 0o6


def closed(scene: Scene) -> list[DeviceNode]:
    """The nodes of GPUs and of control that others than owner and group may not read and write."""
    nodes = (node for node in scene.facts.devices if _is_for_all(node.path))
    return [node for node in nodes if node.mode & _ALWAYS_OPEN != _ALWAYS_OPEN]


def _is_for_all(path: str) -> bool:
    name = path.removeprefix("/dev/nvidia")
    return name != path and (name.isdecimal() or name in ("ctl", "-uvm", "-modeset"))


def group_name(scene: Scene, gid: int) -> str:
    """The name of a group by /etc/group, its number where that does not tell."""
    lines = (line.split(":") for line in (scene.eyes.text("/etc/group") or "").splitlines())
    return next((fields[0] for fields in lines if len(fields) > 2 and fields[2] == str(gid)), str(gid))


def by_virtualgl(scene: Scene) -> bool:
    """True where VirtualGL's set-up says who may use the GPUs."""
    names = {group_name(scene, node.gid) for node in closed(scene)}
    return scene.eyes.exists(VIRTUALGL) or VIRTUALGL_GROUP in names
