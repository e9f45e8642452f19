"""NVIDIA's toolkit would change device rules, which a rootless engine, or a nested one, has no right to."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.model import Evidence, Found
from linkspan.check.registry import Rule
from linkspan.check.remedies import set_no_cgroups
from linkspan.check.scene import TOOLKIT_CONFIG, Scene


def _look(scene: Scene) -> Iterator[Found]:
    engines = bridge.nvidias(scene, "docker")
    nested = scene.is_own("lxc")
    if not engines or scene.toolkit.nvidia_container_cli.no_cgroups or scene.cgroup_version != 2:
        return
    if nested or all(engine.rootless for engine in engines):
        who = "this host is an LXC container" if nested else "the only Docker is rootless"
        process = engines[0].process
        where = "/proc/1/environ" if nested else f"/proc/{process.pid if process else 0}/status"
        yield Found(
            cause=f"{who}, and NVIDIA's toolkit is to change the rules of devices, for which it has no right there",
            evidence=(
                Evidence(subject=TOOLKIT_CONFIG, field="nvidia-container-cli.no-cgroups", value="false"),
                Evidence(
                    subject=where,
                    field="container" if nested else "Uid",
                    value="lxc" if nested else str(process.uid if process else ""),
                ),
            ),
            remedy=set_no_cgroups(scene, on=True),
            about=engines[0].title,
        )


RULE = Rule(id="D-CGROUP-3", link="bridge", severity="error", look=_look)
