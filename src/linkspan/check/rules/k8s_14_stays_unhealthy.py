"""A GPU works again, and the device plugin holds it for unhealthy until it is restarted."""

import re
from collections.abc import Iterator

from linkspan.check.kubelet_state import CHECKPOINT
from linkspan.check.kubernetes import PLUGIN, RESOURCE, Line
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_MARKED = re.compile(r"unhealthy|Xid", re.IGNORECASE)
_LOST = re.compile(r"fallen off the bus|GPU is lost|Xid.*: 79,")


def _look(scene: Scene) -> Iterator[Found]:
    healthy = scene.node.devices.healthy
    if not scene.node.is_one or scene.node.plugin is None or RESOURCE not in healthy:
        return
    offered = {name.partition("::")[0] for name in healthy[RESOURCE]}
    marked = scene.node.lines(PLUGIN, _MARKED)
    for gpu in scene.facts.gpus:
        line = next((line for line in reversed(marked) if gpu.uuid and gpu.uuid in line.text), None)
        if line and gpu.uuid not in offered and gpu.path and not _is_lost(scene, gpu.pci_bus_id):
            yield _found(scene, gpu.uuid, line, len(offered))


def _is_lost(scene: Scene, bus_id: str) -> bool:
    short = bus_id.lower()[4:].rpartition(".")[0]
    return any(short in line.lower() and _LOST.search(line) for line in scene.kernel_log)


def _found(scene: Scene, uuid: str, line: Line, offered: int) -> Found:
    return Found(
        cause=f"{uuid} is there and working for the kernel, and the device plugin has held it for unhealthy since an "
        "error that passed",
        evidence=(
            Evidence(subject=line.path, field="log", value=line.text[:250]),
            Evidence(subject=CHECKPOINT, field=f"healthy {RESOURCE}", value=str(offered)),
            Evidence(subject="/proc/driver/nvidia/gpus", field="GPUs", value=str(len(scene.facts.gpus))),
        ),
        remedy=Remedy(
            text="restart the device plugin's pod of this node; an Xid that concerns programs only can be passed over "
            "with DP_DISABLE_HEALTHCHECKS in its DaemonSet",
        ),
        about=uuid,
    )


RULE = Rule(id="D-K8S-14", link="request", severity="error", look=_look)
