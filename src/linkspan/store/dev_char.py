"""The links in /dev/char, which name device nodes by number: ``195:0`` leads to ``../nvidia0``.

runc tells systemd by them which devices a container may open, and leaves out those that have none; a reload of
systemd's units then takes these away from running containers. udev makes such links for devices that the kernel's
device model knows, which the driver's are not.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from linkspan.facts.model import DeviceNode, HostFacts
from linkspan.kernel import trees

_OURS = "nvidia"
"""What the driver's nodes, and its entries in /proc/devices, begin with."""


class Kept(NamedTuple):
    """What was done: links made or put right, and links removed that led nowhere."""

    made: int
    removed: int


def folder_of(dev_root: str) -> str:
    """The folder of these links for the nodes below a root."""
    return os.path.join(dev_root, "dev/char")


def name_of(major: int, minor: int) -> str:
    """The name of a device's link."""
    return f"{major}:{minor}"


def make(folder: str, name: str, target: str) -> None:
    """Make one link, and the folder where it is missing. KernelError where that is not possible."""
    trees.make_folders(folder)
    trees.make_link(target, os.path.join(folder, name))


def keep(facts: HostFacts) -> Kept:
    """Have a link for every node of the driver, and none that is stale.

    A link that leads to the right device by another way stays, and so does what is no link. KernelError where the
    folder cannot be written.
    """
    folder = folder_of(facts.dev_root)
    nodes = {name_of(node.major, node.minor): node for node in facts.devices if _is_ours(node)}
    wrong = [name for name, node in nodes.items() if not _is_right(os.path.join(folder, name), node)]
    for name in wrong:
        _put(folder, name, _target(nodes[name]))
    stale = list(_stale(facts, folder, nodes))
    for name in stale:
        trees.remove_file(os.path.join(folder, name))
    return Kept(len(wrong), len(stale))


def _is_ours(node: DeviceNode) -> bool:
    return node.type == "c" and node.path.startswith(f"/dev/{_OURS}") and os.path.exists(node.host_path)


def _target(node: DeviceNode) -> str:
    return f"../{node.path.removeprefix('/dev/')}"


def _is_right(link: str, node: DeviceNode) -> bool:
    try:
        if not os.path.islink(link):
            return os.path.exists(link)
        found = os.stat(link)
    except OSError:
        return False
    is_device = stat.S_ISCHR(found.st_mode) and found.st_rdev == os.makedev(node.major, node.minor)
    return is_device or os.readlink(link) == _target(node)


def _put(folder: str, name: str, target: str) -> None:
    if os.path.islink(os.path.join(folder, name)):
        trees.replace_link(target, os.path.join(folder, name))
    else:
        make(folder, name, target)


def _stale(facts: HostFacts, folder: str, nodes: Mapping[str, DeviceNode]) -> Iterator[str]:
    """Links that lead to a node of other numbers, or nowhere though their number is the driver's."""
    majors = {str(major) for driver, major in facts.majors.items() if driver.startswith(_OURS)}
    places = {os.path.realpath(node.host_path) for node in nodes.values()}
    names = os.listdir(folder) if os.path.isdir(folder) else []
    for name in sorted({*names} - nodes.keys()):
        link = os.path.join(folder, name)
        is_lost = name.partition(":")[0] in majors and not os.path.exists(link)
        if os.path.islink(link) and (is_lost or os.path.realpath(link) in places):
            yield name
