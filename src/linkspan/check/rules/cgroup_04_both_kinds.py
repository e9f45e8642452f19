"""NVIDIA's one switch for device rules, and engines of root and of users beside each other: it is wrong for one."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import TOOLKIT_CONFIG, Scene


def _look(scene: Scene) -> Iterator[Found]:
    engines = bridge.nvidias(scene, "docker")
    users = [engine for engine in engines if engine.rootless]
    roots = [engine for engine in engines if not engine.rootless]
    if not users or not roots or scene.is_own("lxc"):
        return
    off = scene.toolkit.nvidia_container_cli.no_cgroups
    loser = "root's Docker" if off else "the rootless Docker"
    yield Found(
        cause=f"no-cgroups = {str(off).lower()} of NVIDIA's toolkit is wrong for {loser}, and it is the only switch",
        evidence=(
            Evidence(subject=TOOLKIT_CONFIG, field="nvidia-container-cli.no-cgroups", value=str(off).lower()),
            *(
                Evidence(subject=one.config, field="uid of dockerd", value=str(one.process.uid))
                for one in engines
                if one.process
            ),
        ),
        remedy=Remedy(
            text="use CDI names in one of them, or let linkspan be the bridge, which decides for each container",
            commands=("docker run --device nvidia.com/gpu=all …",) if scene.specs.of_kind() else (),
        ),
        about=loser,
    )


RULE = Rule(id="D-CGROUP-4", link="bridge", severity="error", look=_look)
