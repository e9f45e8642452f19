"""NVIDIA's toolkit is told of an ldconfig that is not there, or of the container's in place of the host's."""

from collections.abc import Iterator

from linkspan.check import bridge, ldconfig
from linkspan.check.model import Evidence, Found
from linkspan.check.registry import Rule
from linkspan.check.scene import TOOLKIT_CONFIG, Scene


def _look(scene: Scene) -> Iterator[Found]:
    told, there = ldconfig.told(scene), ldconfig.present(scene)
    engines = bridge.nvidias(scene, "docker", "containerd", "podman", "crio")
    if not engines or not there or told == ldconfig.DEFAULT or _is_right(scene, told):
        return
    where = "in the container" if not told.startswith("@") else "on this host"
    why = "is looked for in the container" if not told.startswith("@") else f"is not there {where}"
    yield Found(
        cause=f"NVIDIA's toolkit has {told} write the loader cache of containers, and that {why}",
        evidence=(
            Evidence(subject=TOOLKIT_CONFIG, field="nvidia-container-cli.ldconfig", value=told),
            Evidence(subject=there[0], field="the host's", value="is there"),
        ),
        remedy=ldconfig.set_to(scene, there[0]),
        about=engines[0].title,
    )


def _is_right(scene: Scene, told: str) -> bool:
    return ldconfig.stands(scene) if told.startswith("@") else not ldconfig.is_of_image(scene)


RULE = Rule(id="D-LDCACHE-1", link="bridge", severity="error", look=_look)
