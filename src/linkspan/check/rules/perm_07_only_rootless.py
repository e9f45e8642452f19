"""Modules or nodes are missing, and the only engine is a user's, who can make neither."""

from collections.abc import Iterator

from linkspan.check.device_nodes import absent, basic, make, only_rootless, unified
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import programs
from linkspan.check.rules.driver_04_no_uvm import COMMAND
from linkspan.check.scene import Scene
from linkspan.plan.wording import listed


def _look(scene: Scene) -> Iterator[Found]:
    if not basic(scene) or not only_rootless(scene):
        return
    lacking = absent(scene, [*basic(scene), *unified(scene)])
    unloaded = "nvidia-uvm" not in scene.facts.majors and "nvidia_uvm" not in scene.modules
    if lacking or unloaded:
        what = [*(["the module nvidia-uvm"] if unloaded else []), *(one.path for one in lacking)]
        gpus = [f"-c={one.minor}" for one in basic(scene)[1:]]
        yield Found(
            cause=f"{listed(what)} {'is' if len(what) == 1 else 'are'} missing, and a user's engine cannot make that",
            evidence=(
                *(Evidence(subject=one.path, value="not there") for one in lacking[:4]),
                *((Evidence(subject="/proc/modules", field="nvidia_uvm", value="not there"),) if unloaded else ()),
                *(
                    Evidence(subject=f"/proc/{engine.process.pid}/status", field="Uid", value=str(engine.process.uid))
                    for engine in scene.engines
                    if engine.process is not None
                ),
            ),
            remedy=Remedy(
                text="have root load the module and make the nodes, in a service at each boot",
                commands=programs(scene, f"nvidia-modprobe {' '.join(gpus)}", COMMAND),
                actions=make(lacking),
            ),
            link="module" if unloaded else None,
        )


RULE = Rule(id="D-PERM-7", link="nodes", severity="error", look=_look)
