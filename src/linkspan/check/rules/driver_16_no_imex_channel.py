"""Memory is to be shared over NVLink, and the channel for that has no device node."""

from collections.abc import Iterator

from linkspan.check.device_nodes import Wanted, basic, make
from linkspan.check.imex import FOLDER, MAJOR, asked, channels
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import programs
from linkspan.check.scene import Scene
from linkspan.plan.wording import ids

DAEMON = "nvidia-imex"


def _look(scene: Scene) -> Iterator[Found]:
    if not basic(scene):
        return
    there = channels(scene)
    asking = [ask for ask in asked(scene) if ask.number is not None and ask.number not in there and not ask.has]
    wanted = sorted({ask.number for ask in asking if ask.number is not None})
    if wanted:
        who = ", ".join(dict.fromkeys(ask.who for ask in asking))
        yield _found(
            scene, f"{who} asks for IMEX channel {ids([str(number) for number in wanted])}", wanted, asking[0].evidence
        )
    elif not there and (daemon := scene.processes.named(DAEMON)):
        path = Evidence(subject=f"/proc/{daemon[0].pid}/cmdline", field="process", value=DAEMON)
        yield _found(scene, f"{DAEMON} runs for this host", [0], path)


def _found(scene: Scene, why: str, wanted: list[int], asks: Evidence) -> Found:
    major = scene.facts.majors.get(MAJOR)
    nodes = [Wanted(f"{FOLDER}/channel{number}", major or 0, number) for number in wanted]
    return Found(
        cause=f"{why}, and {nodes[0].path} is not there",
        evidence=(
            asks,
            Evidence(subject=nodes[0].path, value="not there"),
            Evidence(subject="/proc/devices", field=MAJOR, value=str(major or "not there")),
        ),
        remedy=Remedy(
            text="make the node, and have the driver make channel 0 itself with NVreg_CreateImexChannel0=1"
            if major
            else "this driver has no IMEX channels: take a newer one, or do not ask for any",
            commands=programs(scene, *(f"nvidia-modprobe -i {number}:1" for number in wanted)) if major else (),
            actions=make(nodes) if major else (),
        ),
    )


RULE = Rule(id="D-DRIVER-16", link="nodes", severity="error", look=_look)
