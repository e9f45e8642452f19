"""A pod in gVisor holds a DRA claim on a GPU, which nvproxy does not keep apart from the others."""

from collections.abc import Iterator

from linkspan.check import gvisor
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_DRIVER = "gpu.nvidia.com"


def _look(scene: Scene) -> Iterator[Found]:
    claims = {pod: claim for claim in scene.node.claims if claim.driver == _DRIVER for pod in claim.pods}
    for one in gvisor.sandboxes(scene) if claims else ():
        cgroup = scene.processes.cgroup(one.pid).replace("_", "-")
        pod = next((pod for pod in claims if pod in cgroup), "")
        if pod:
            yield Found(
                cause=f"a pod in gVisor has GPUs by the DRA claim {claims[pod].name}, which nvproxy does not keep to: "
                "it may see all GPUs, or crash",
                evidence=(
                    Evidence(subject=f"/proc/{one.pid}/cmdline", field="sandbox", value="--nvproxy"),
                    Evidence(subject=scene.node.claims_file, field="claim", value=claims[pod].name),
                ),
                remedy=Remedy(text="ask for nvidia.com/gpu of the device plugin in this pod, or run it outside gVisor"),
                about=f"pod {pod}",
            )


RULE = Rule(id="D-SANDBOX-2", link="request", severity="warning", look=_look, horizon="insecure")
