"""NVIDIA's toolkit from before it knew cgroups of version 2, on a host that has no others."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

KNOWS_SINCE = (1, 8)
"""NVIDIA/libnvidia-container 1.8.0: the first with device rules for version 2."""


def _look(scene: Scene) -> Iterator[Found]:
    library = bridge.library_version(scene)
    if not library or library >= KNOWS_SINCE or scene.cgroup_version != 2:
        return
    for engine in bridge.nvidias(scene, "docker", "containerd"):
        version = ".".join(map(str, library))
        yield Found(
            cause=f"libnvidia-container {version} knows device rules of cgroups v1 only, which this host lacks",
            evidence=(
                Evidence(subject="package libnvidia-container1", field="version", value=version),
                Evidence(subject="/sys/fs/cgroup/cgroup.controllers", field="cgroups", value="version 2"),
            ),
            remedy=Remedy(text="update NVIDIA's toolkit, or let linkspan be the bridge"),
            about=engine.title,
        )


RULE = Rule(id="D-CGROUP-8", link="bridge", severity="error", look=_look)
