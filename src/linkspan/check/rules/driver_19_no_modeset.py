"""Somebody wants to draw, and /dev/nvidia-modeset is not there."""

from collections.abc import Iterator

from linkspan.check.device_nodes import MODESET_MINOR, Wanted, absent, basic, make, nvidia_major, only_rootless
from linkspan.check.graphics import CAPABILITIES
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import programs
from linkspan.check.scene import Scene

_DRAWING = {"all", "display", "graphics"}


def _look(scene: Scene) -> Iterator[Found]:
    node = [Wanted("/dev/nvidia-modeset", nvidia_major(scene), MODESET_MINOR)]
    if not basic(scene) or absent(scene, basic(scene)) or only_rootless(scene) or not absent(scene, node):
        return
    asking = next(_asking(scene), None)
    if asking:
        yield Found(
            cause=f"{node[0].path} is not there, and {asking[0]} asks for {asking[1].value}",
            evidence=(Evidence(subject=node[0].path, value="not there"), asking[1]),
            remedy=Remedy(
                text="make the node, and let a service do that at each boot; udev's rules of the driver leave it out",
                commands=programs(scene, "nvidia-modprobe -m"),
                actions=make(node) if "nvidia_modeset" in scene.modules else (),
            ),
        )


def _asking(scene: Scene) -> Iterator[tuple[str, Evidence]]:
    """The containers that ask for what needs the node, and where that stands."""
    for one in scene.containers:
        yield from _of(one.name, f"/proc/{one.pid}/environ", one.env.get(CAPABILITIES, ""), wants=one.wants_gpus)
    for record in scene.docker_records:
        yield from _of(record.title, record.path, record.env.get(CAPABILITIES, ""), wants=record.wants_gpus)


def _of(name: str, path: str, value: str, *, wants: bool) -> Iterator[tuple[str, Evidence]]:
    if wants and {word.strip() for word in value.split(",")} & _DRAWING:
        yield name, Evidence(subject=path, field=CAPABILITIES, value=value)


RULE = Rule(id="D-DRIVER-19", link="nodes", severity="error", look=_look)
