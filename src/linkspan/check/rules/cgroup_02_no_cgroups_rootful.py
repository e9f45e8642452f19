"""``no-cgroups = true`` of NVIDIA's toolkit, where the only engine is root's: no container may open its GPUs."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.model import Evidence, Found
from linkspan.check.registry import Rule
from linkspan.check.remedies import set_no_cgroups
from linkspan.check.scene import TOOLKIT_CONFIG, Scene


def _look(scene: Scene) -> Iterator[Found]:
    if scene.facts.platform == "wsl":
        return  # there it is known by another name: D-WSL-3
    engines = bridge.nvidias(scene, "docker")
    if engines and all(not engine.rootless for engine in engines) and scene.toolkit.nvidia_container_cli.no_cgroups:
        yield Found(
            cause="NVIDIA's toolkit is told not to allow devices (no-cgroups), which a container of root's needs",
            evidence=(
                Evidence(subject=TOOLKIT_CONFIG, field="nvidia-container-cli.no-cgroups", value="true"),
                Evidence(subject=engines[0].config, field="dockerd's user", value="root"),
            ),
            remedy=set_no_cgroups(scene, on=False),
            about=engines[0].title,
        )


RULE = Rule(id="D-CGROUP-2", link="bridge", severity="error", look=_look)
