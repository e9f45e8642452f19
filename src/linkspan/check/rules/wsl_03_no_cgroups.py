"""no-cgroups is set in a WSL2 guest, so no container of a rootful engine may open /dev/dxg."""

from collections.abc import Iterator

from linkspan.check import bridge, wsl
from linkspan.check.model import Evidence, Found
from linkspan.check.registry import Rule
from linkspan.check.remedies import set_no_cgroups
from linkspan.check.scene import TOOLKIT_CONFIG, Scene


def _look(scene: Scene) -> Iterator[Found]:
    rootful = [one for one in bridge.nvidias(scene, "docker", "containerd") if one.process and not one.rootless]
    if wsl.kernel(scene) and rootful and scene.toolkit.nvidia_container_cli.no_cgroups:
        yield Found(
            cause=f"NVIDIA's toolkit is told not to allow devices (no-cgroups), so containers of "
            f"{rootful[0].title} may not open {wsl.DEVICE}",
            evidence=(
                Evidence(subject=TOOLKIT_CONFIG, field="nvidia-container-cli.no-cgroups", value="true"),
                Evidence(subject=wsl.VERSION, field="kernel", value=wsl.kernel(scene)[:120]),
            ),
            remedy=set_no_cgroups(scene, on=False),
            about=rootful[0].title,
        )


RULE = Rule(id="D-WSL-3", link="bridge", severity="error", look=_look)
