"""A kernel before 5.6 cannot replace a BPF program in one step, which NVIDIA's library once took for granted."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.formats import versions

REPLACES_SINCE = (5, 6)
"""BPF_F_REPLACE for cgroups: Linux commit 7dd68b3279f1."""
FIRST, MENDED = (1, 8, 0), (1, 8, 1)
"""NVIDIA/libnvidia-container#151."""


def _look(scene: Scene) -> Iterator[Found]:
    library, kernel = bridge.library_version(scene), versions.parse(scene.kernel.partition("-")[0]) or ()
    if not (FIRST <= library < MENDED and kernel and kernel < REPLACES_SINCE and scene.cgroup_version == 2):
        return
    for engine in bridge.nvidias(scene, "docker"):
        yield Found(
            cause=f"libnvidia-container {_text(library)} needs Linux 5.6 for cgroups v2; this is {_text(kernel)}",
            evidence=(
                Evidence(subject="/proc/sys/kernel/osrelease", value=scene.kernel),
                Evidence(subject="package libnvidia-container1", field="version", value=_text(library)),
            ),
            remedy=Remedy(text="update NVIDIA's toolkit, or let linkspan be the bridge"),
            about=engine.title,
        )


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


RULE = Rule(id="D-CGROUP-7", link="bridge", severity="error", look=_look)
