"""The device plugin could not begin to watch its GPUs, and goes on offering them all."""

import re
from collections.abc import Iterator

from linkspan.check.kubelet_state import CHECKPOINT
from linkspan.check.kubernetes import PLUGIN, RESOURCE
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_SAYS = re.compile(r"Failed to start health check|health checks disabled", re.IGNORECASE)
_ON_PURPOSE = re.compile(r"DP_DISABLE_HEALTHCHECKS", re.IGNORECASE)


def _look(scene: Scene) -> Iterator[Found]:
    offered = scene.node.devices.healthy.get(RESOURCE, ()) if scene.node.is_one else ()
    if not offered or scene.node.plugin is None:
        return
    said = [line for line in scene.node.lines(PLUGIN, _SAYS) if not _ON_PURPOSE.search(line.text)]
    if said:
        yield Found(
            cause=f"the device plugin watches none of the {len(offered)} devices that it offers: its health check did "
            "not start",
            evidence=(
                Evidence(subject=said[-1].path, field="log", value=said[-1].text[:250]),
                Evidence(subject=CHECKPOINT, field=f"healthy {RESOURCE}", value=str(len(offered))),
            ),
            remedy=Remedy(
                text="restart the device plugin's pod of this node once the driver works; pods are admitted to GPUs "
                "that may be gone until then"
            ),
            about="device plugin",
        )


RULE = Rule(id="D-K8S-15", link="request", severity="error", look=_look)
