"""Docker's host is itself an unprivileged container, which may not give devices to the containers in it (cgroup v1)."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.identity import id_map, in_user_namespace
from linkspan.check.model import Evidence, Found
from linkspan.check.registry import Rule
from linkspan.check.remedies import set_no_cgroups
from linkspan.check.scene import TOOLKIT_CONFIG, Scene


def _look(scene: Scene) -> Iterator[Found]:
    if scene.cgroup_version != 1 or not scene.is_own("lxc") or not in_user_namespace(scene, 1):
        return
    engines = bridge.nvidias(scene, "docker")
    if engines and not scene.toolkit.nvidia_container_cli.no_cgroups:
        first = id_map(scene, 1)[0]
        yield Found(
            cause="this host is an unprivileged LXC container, in which NVIDIA's toolkit may not write device rules",
            evidence=(
                Evidence(subject="/proc/1/environ", field="container", value="lxc"),
                Evidence(subject="/proc/1/uid_map", value=" ".join(map(str, first))),
                Evidence(subject=TOOLKIT_CONFIG, field="nvidia-container-cli.no-cgroups", value="false"),
            ),
            remedy=set_no_cgroups(scene, on=True),
            about=engines[0].title,
        )


RULE = Rule(id="D-PERM-8", link="bridge", severity="error", look=_look)
