"""Commands that remedies have in common, each only where it exists on the host."""

from linkspan.check.daemons import Engine
from linkspan.check.scene import Scene

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
