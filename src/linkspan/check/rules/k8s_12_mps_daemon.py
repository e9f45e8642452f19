"""The device plugin shares GPUs by MPS, and the MPS daemon of the node does not answer."""

import re
from collections.abc import Iterator

from linkspan.check.kubernetes import PLUGIN
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_WAITS = re.compile(
    r"error waiting for MPS daemon|failed to send command to MPS daemon|number of replicas must be >= 2"
)
_DAEMONS = ("nvidia-cuda-mps-control", "mps-control-daemon")
_ROOT = "/run/nvidia/mps"


def _look(scene: Scene) -> Iterator[Found]:
    said = scene.node.lines(PLUGIN, _WAITS) if scene.node.is_one and scene.has_driver else []
    if not said:
        return
    line = said[-1]
    log = Evidence(subject=line.path, field="log", value=line.text[:250])
    if "replicas" in line.text:
        yield Found(
            cause="the plugin's configuration shares a GPU among fewer than 2",
            evidence=(log,),
            remedy=Remedy(text="set replicas to 2 or more under sharing in the plugin's configuration"),
            about="device plugin",
        )
        return
    running = [one for one in scene.processes.all.values() if one.name in _DAEMONS]
    if running:
        return
    ready = [name for name in scene.eyes.names(_ROOT) if scene.eyes.exists(f"{_ROOT}/{name}/.ready")]
    yield Found(
        cause="the plugin shares GPUs by MPS, and no MPS control daemon runs on this node",
        evidence=(
            log,
            Evidence(subject="processes", field=_DAEMONS[0], value="none"),
            Evidence(subject=f"{_ROOT}/*/.ready", field="file", value=", ".join(ready) or "not there"),
        ),
        remedy=Remedy(
            text="label the node nvidia.com/mps.capable=true, so that the MPS control daemon gets a pod here, "
            " and give both the same mpsRoot"
        ),
        about="device plugin",
    )


RULE = Rule(id="D-K8S-12", link="request", severity="error", look=_look)
