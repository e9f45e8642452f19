"""MIG devices exist, and the nodes by which they are opened do not."""

from collections.abc import Iterator

from linkspan.check.device_nodes import Wanted, basic, make
from linkspan.check.mig import instances
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import programs
from linkspan.check.scene import Scene

MODE = 0o444


def _look(scene: Scene) -> Iterator[Found]:
    major = scene.facts.majors.get("nvidia-caps")
    if not basic(scene) or major is None:
        return
    lacking = [one for one in instances(scene) if scene.eyes.status(one.node) is None]
    if lacking:
        yield Found(
            cause=f"{len(lacking)} capabilities of MIG devices have no node, {lacking[0].name} for one",
            evidence=(
                Evidence(subject=lacking[0].path, field="DeviceFileMinor", value=str(lacking[0].minor)),
                Evidence(subject=lacking[0].node, value="not there"),
            ),
            remedy=Remedy(
                text="make the nodes, and let a service do that at each boot",
                commands=programs(scene, *(f"nvidia-modprobe -f {one.path}" for one in lacking[:16])),
                actions=make([Wanted(one.node, major, one.minor, MODE) for one in lacking]),
            ),
        )


RULE = Rule(id="D-MIG-3", link="nodes", severity="error", look=_look)
