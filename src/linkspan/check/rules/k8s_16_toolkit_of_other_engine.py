"""The operator's toolkit is told to configure containerd, and kubelet of this node uses CRI-O."""

import re
from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import configure
from linkspan.check.scene import Scene

_DIALS = re.compile(
    r"containerd\.sock.*(?:no such file|connection refused)|unable to restart containerd", re.IGNORECASE
)
_POD = "nvidia-container-toolkit"


def _look(scene: Scene) -> Iterator[Found]:
    engine = scene.node.engine
    if engine is None or engine.kind != "crio":
        return
    said = scene.node.lines(_POD, _DIALS)
    if said:
        starts = int(said[-1].path.rpartition("/")[2].partition(".")[0])
        yield Found(
            cause="the operator's toolkit wants to configure containerd, and this node's kubelet uses CRI-O"
            + (f"; it was started {starts + 1} times" if starts else ""),
            evidence=(
                Evidence(subject=said[-1].path, field="log", value=said[-1].text[:250]),
                Evidence(subject=engine.config, field="engine of kubelet", value=engine.title),
            ),
            remedy=Remedy(
                text="label this node nvidia.com/gpu.deploy.container-toolkit=false, and configure its CRI-O itself",
                commands=configure(scene, engine),
            ),
            about=engine.title,
        )


RULE = Rule(id="D-K8S-16", link="injection", severity="error", look=_look)
