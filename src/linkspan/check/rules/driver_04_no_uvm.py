"""nvidia-uvm, without which CUDA cannot start, is not loaded, or has no node."""

from collections.abc import Iterator

from linkspan.check.device_nodes import absent, basic, made_at_start, make, only_rootless, unified
from linkspan.check.model import Evidence, Found, Remedy, RunProgram
from linkspan.check.registry import Rule
from linkspan.check.remedies import programs
from linkspan.check.scene import Scene

COMMAND = "nvidia-modprobe -u -c=0"


def _look(scene: Scene) -> Iterator[Found]:
    if not basic(scene) or absent(scene, basic(scene)) or only_rootless(scene):
        return
    if "nvidia-uvm" not in scene.facts.majors:
        yield from _not_loaded(scene)
        return
    lacking = absent(scene, unified(scene))
    if lacking:
        yield Found(
            cause=f"the module nvidia-uvm is loaded, and nothing has made {lacking[0].path}",
            evidence=(
                Evidence(subject="/proc/devices", field="nvidia-uvm", value=str(lacking[0].major)),
                Evidence(subject=lacking[0].path, value="not there"),
            ),
            remedy=Remedy(
                text="make the nodes, and let a service do that at each boot",
                commands=programs(scene, COMMAND),
                actions=make(lacking),
            ),
            severity="info" if made_at_start(scene) else None,
        )


def _not_loaded(scene: Scene) -> Iterator[Found]:
    if "nvidia_uvm" in scene.modules:
        return  # /proc/devices could not be read
    loader = programs(scene, COMMAND) or programs(scene, "modprobe nvidia-uvm")
    yield Found(
        cause="the module nvidia is loaded, and nvidia-uvm is not: a container cannot load it by itself",
        evidence=(
            Evidence(subject="/proc/modules", field="nvidia_uvm", value="not there"),
            Evidence(subject="/proc/devices", field="nvidia-uvm", value="not there"),
        ),
        remedy=Remedy(
            text="load the module and make its nodes, now and in a service at each boot",
            commands=loader,
            actions=tuple(RunProgram(argv=tuple(command.split())) for command in loader),
        ),
        link="module",
        severity="info" if made_at_start(scene) else None,
    )


RULE = Rule(id="D-DRIVER-4", link="nodes", severity="error", look=_look)
