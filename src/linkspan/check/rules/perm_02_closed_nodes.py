"""The device nodes are open to a group only, and who is to use them is not in it."""

from collections.abc import Iterator

from linkspan.check.closed_nodes import by_virtualgl, closed, group_name
from linkspan.check.identity import identity, permission
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.host import Status
from linkspan.facts.model import DeviceNode

_WANTED = 0o6


def _look(scene: Scene) -> Iterator[Found]:
    nodes = [] if by_virtualgl(scene) else closed(scene)
    if not nodes:
        return
    for inside in scene.gpu_containers:
        node = inside.container.root.status(nodes[0].path)
        if node is not None and node.kind == "char" and _refused(scene, node, inside.container.pid):
            yield _found(scene, nodes[0], inside.container.pid, inside.container.name)
    for engine in scene.engines:
        if engine.process is not None and engine.rootless and _refused(scene, _status(nodes[0]), engine.process.pid):
            yield _found(scene, nodes[0], engine.process.pid, f"rootless {engine.title}")


def _status(node: DeviceNode) -> Status:
    return Status("char", node.major, node.minor, node.mode, node.uid, node.gid)


def _refused(scene: Scene, node: Status, pid: int) -> bool:
    return permission(node, identity(scene, pid)) & _WANTED != _WANTED


def _found(scene: Scene, node: DeviceNode, pid: int, about: str) -> Found:
    who = identity(scene, pid)
    group = group_name(scene, node.gid)
    groups = " ".join(map(str, sorted(who.groups))) or "none"
    return Found(
        cause=f"{node.path} is open to root and the group {group} alone, and user {who.uid} is not in that",
        evidence=(
            Evidence(subject=node.path, field="mode and group", value=f"{node.mode:04o} {group}"),
            Evidence(subject=f"/proc/{pid}/status", field="Groups", value=groups),
        ),
        remedy=Remedy(
            text=f"start it with --group-add {node.gid} (Podman with crun: --group-add keep-groups), or open the nodes "
            "to all with the module's option NVreg_DeviceFileMode=0666"
        ),
        about=about,
        link="nodes" if about.startswith("rootless") else None,
    )


RULE = Rule(id="D-PERM-2", link="injection", severity="error", look=_look)
