"""VirtualGL's set-up has closed the device nodes to all but its group."""

from collections.abc import Iterator

from linkspan.check.closed_nodes import VIRTUALGL, VIRTUALGL_GROUP, by_virtualgl, closed, group_name
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_PROGRAM = "/opt/VirtualGL/bin/vglserver_config"


def _look(scene: Scene) -> Iterator[Found]:
    nodes = closed(scene)
    if nodes and by_virtualgl(scene):
        group = group_name(scene, nodes[0].gid)
        options = next((line for line in (scene.eyes.text(VIRTUALGL) or "").splitlines() if "NVreg" in line), "")
        yield Found(
            cause=f"VirtualGL's set-up has closed the device nodes to all but root and the group {group}",
            evidence=(
                Evidence(subject=nodes[0].path, field="mode and group", value=f"{nodes[0].mode:04o} {group}"),
                *((Evidence(subject=VIRTUALGL, field="options", value=options),) if options else ()),
            ),
            remedy=Remedy(
                text=f"take the set-up back, or answer no where it asks whether to keep to the group {VIRTUALGL_GROUP}",
                commands=(f"{_PROGRAM} -unconfig",) if scene.eyes.exists(_PROGRAM) else (),
            ),
        )


RULE = Rule(id="D-PERM-3", link="nodes", severity="error", look=_look)
