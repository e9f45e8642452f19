"""The driver has GPUs that have no device node: nothing has made them since the host was started."""

from collections.abc import Iterator

from linkspan.check.device_nodes import absent, basic, made_at_start, make, only_rootless, unified
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import programs
from linkspan.check.scene import Scene
from linkspan.plan.wording import listed, plural


def _look(scene: Scene) -> Iterator[Found]:
    lacking = absent(scene, basic(scene))
    if not lacking or only_rootless(scene):
        return
    wanted = [*lacking, *absent(scene, unified(scene))]
    gpus = [f"-c={one.minor}" for one in basic(scene)[1:]]
    yield Found(
        cause=f"the driver has {plural(len(gpus), 'GPU')}, and nothing has made {listed(one.path for one in lacking)}",
        evidence=(
            Evidence(subject="/proc/driver/nvidia/gpus", field="GPUs", value=str(len(gpus))),
            *(Evidence(subject=one.path, value="not there") for one in lacking[:4]),
        ),
        remedy=Remedy(
            text="make the nodes before any container starts; a service has to do that at each boot",
            commands=programs(scene, f"nvidia-modprobe {' '.join(gpus)}", "nvidia-modprobe -u -c=0"),
            actions=make(wanted),
        ),
        severity="info" if made_at_start(scene) else None,
    )


RULE = Rule(id="D-DRIVER-18", link="nodes", severity="error", look=_look)
