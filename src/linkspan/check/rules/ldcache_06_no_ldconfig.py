"""NVIDIA's toolkit runs /sbin/ldconfig, and this host keeps its ldconfig elsewhere, or has none."""

from collections.abc import Iterator

from linkspan.check import bridge, ldconfig
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import TOOLKIT_CONFIG, Scene


def _look(scene: Scene) -> Iterator[Found]:
    engines = bridge.nvidias(scene, "docker", "podman", "containerd", "crio")
    if engines and ldconfig.told(scene) == ldconfig.DEFAULT and not ldconfig.stands(scene):
        there = ldconfig.present(scene)
        text = (
            f'set ldconfig = "@{there[0]}" in {TOOLKIT_CONFIG}'
            if there
            else "let linkspan be the bridge, which needs none"
        )
        yield Found(
            cause="NVIDIA's toolkit runs /sbin/ldconfig for each container, and this host has none there",
            evidence=(
                Evidence(subject="/sbin/ldconfig", value="not there"),
                Evidence(subject=TOOLKIT_CONFIG, field="nvidia-container-cli.ldconfig", value=ldconfig.DEFAULT),
            ),
            remedy=Remedy(text=text),
            about=engines[0].title,
        )


RULE = Rule(id="D-LDCACHE-6", link="bridge", severity="error", look=_look)
