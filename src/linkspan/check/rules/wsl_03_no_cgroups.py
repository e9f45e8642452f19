"""no-cgroups is set in a WSL2 guest, so no container of a rootful engine may open /dev/dxg."""

from collections.abc import Iterator

from linkspan.check import wsl
from linkspan.check.model import Evidence, Found, Remedy, WriteFile
from linkspan.check.registry import Rule
from linkspan.check.scene import TOOLKIT_CONFIG, Scene
from linkspan.engines import tomltext
from linkspan.errors import ConfigError

_KEY = ("nvidia-container-cli", "no-cgroups")


def _look(scene: Scene) -> Iterator[Found]:
    rootful = [one for one in scene.engines_of("docker", "containerd") if one.process and not one.rootless]
    if wsl.kernel(scene) and rootful and scene.toolkit.nvidia_container_cli.no_cgroups:
        yield Found(
            cause=f"{'.'.join(_KEY)} is set, so nothing allows containers of {rootful[0].title} to open {wsl.DEVICE}",
            evidence=(Evidence(subject=TOOLKIT_CONFIG, field=".".join(_KEY), value="true"),),
            remedy=_remedy(scene),
            about=rootful[0].title,
        )


def _remedy(scene: Scene) -> Remedy:
    text = scene.eyes.text(TOOLKIT_CONFIG) or ""
    try:
        fixed = tomltext.put(text, _KEY, False)
    except ConfigError:
        fixed = text
    return Remedy(
        text=f"set no-cgroups = false in {TOOLKIT_CONFIG}; only a rootless engine needs it",
        commands=(f"sed -i 's/^no-cgroups = true/no-cgroups = false/' {TOOLKIT_CONFIG}",) if scene.has("sed") else (),
        actions=(WriteFile(path=TOOLKIT_CONFIG, was=text, text=fixed),) if fixed != text else (),
    )


RULE = Rule(id="D-WSL-3", link="engine-config", severity="error", look=_look)
