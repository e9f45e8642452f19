"""Commands that remedies have in common, each only where it exists on the host."""

import re

from linkspan.check.daemons import Engine
from linkspan.check.model import Remedy, WriteFile
from linkspan.check.scene import TOOLKIT_CONFIG, Scene

_UNITS = {"docker": "docker", "containerd": "containerd", "crio": "crio", "k3s": "k3s", "rke2": "rke2-server"}


def restart(scene: Scene, engine: Engine) -> tuple[str, ...]:
    """How an engine's daemon is started anew; nothing for one that has none."""
    unit = _UNITS.get(engine.rancher or engine.kind, "")
    if engine.snap:
        return ("snap restart docker",)
    if not unit or engine.process is None:
        return ()
    if not _has_systemd(scene):
        return (f"service {unit} restart",) if scene.has("service") else ()
    return (f"systemctl --user restart {unit}",) if engine.rootless else (f"systemctl restart {unit}",)


def _has_systemd(scene: Scene) -> bool:
    return scene.eyes.exists("/run/systemd/system") and scene.has("systemctl")


def configure(scene: Scene, engine: Engine) -> tuple[str, ...]:
    """How an engine is told of the bridge: by the user whose engine it is."""
    if not scene.has("linkspan"):
        return ()
    name = engine.rancher or engine.kind
    return (f"linkspan engine configure {name} --restart",)


_SWITCH = re.compile(r"^([ \t]*)#?[ \t]*no-cgroups[ \t]*=.*$", re.MULTILINE)


def set_no_cgroups(scene: Scene, *, on: bool) -> Remedy:
    """NVIDIA's switch for device rules in its config.toml, with the edit itself where the file has that line."""
    was = scene.eyes.text(TOOLKIT_CONFIG)
    text = _SWITCH.sub(rf"\1no-cgroups = {str(on).lower()}", was or "", count=1)
    actions = (WriteFile(path=TOOLKIT_CONFIG, was=was, text=text),) if was is not None and text != was else ()
    word = "true" if on else "false"
    return Remedy(text=f"set no-cgroups = {word} in {TOOLKIT_CONFIG}, then start the containers anew", actions=actions)
