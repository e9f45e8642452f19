"""The device plugin runs without NVML: its pod was started by a runtime that injects nothing."""

import re
from collections.abc import Iterator

from linkspan.check.daemons import Engine
from linkspan.check.inside import Inside
from linkspan.check.kubernetes import PLUGIN, Line
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import configure, restart
from linkspan.check.scene import Scene
from linkspan.engines.model import owner

_SAYS = re.compile(
    r"could not load NVML library|Incompatible (?:strategy|platform) detected|No devices found\. Waiting indefinitely"
)
_DRIVER_ROOT = (
    *("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64", "home/kubernetes/bin/nvidia/lib64"),
    *("usr/lib/x86_64-linux-gnu/nvidia/current", "run/opengl-driver/lib", "lib64", "usr/lib"),
)


def _look(scene: Scene) -> Iterator[Found]:
    engine = scene.node.engine
    if engine is None or not scene.has_driver or _default_is_ours(engine):
        return
    plugin, said = scene.node.plugin, scene.node.lines(PLUGIN, _SAYS)
    if (plugin and not _has_nvml(Inside(plugin))) or (plugin is None and said):
        yield _found(scene, engine, said)


def _default_is_ours(engine: Engine) -> bool:
    """True where every pod gets what it asks for, and the daemon knows that."""
    view = engine.view
    return owner(view.runtimes.get(view.default, "")) != "other" and not engine.changed_since_start()


def _has_nvml(plugin: Inside) -> bool:
    root = plugin.container.root
    mounted = (f"/driver-root/{folder}/libnvidia-ml.so.1" for folder in _DRIVER_ROOT)
    return plugin.has("libnvidia-ml.so") or any(root.exists(path) for path in mounted)


def _found(scene: Scene, engine: Engine, said: list[Line]) -> Found:
    view, plugin = engine.view, scene.node.plugin
    default = view.default or "runc"
    ours = next((name for name, program in view.runtimes.items() if owner(program) != "other"), "")
    root = f"/proc/{plugin.pid}/root" if plugin else ""
    return Found(
        cause=f"the device plugin has no NVML: {engine.title}'s default runtime {default} started its pod and injects "
        "nothing, and it has no runtimeClassName of another",
        evidence=(
            *(Evidence(subject=line.path, field="log", value=line.text[:200]) for line in said[-1:]),
            *([Evidence(subject=root, field="libnvidia-ml.so.1", value="not there")] if plugin else []),
            Evidence(subject=engine.config, field="default runtime", value=view.default or "not set"),
            Evidence(subject=engine.config, field="runtimes", value=", ".join(view.runtimes) or "none"),
        ),
        remedy=Remedy(
            text=(f"give the plugin's DaemonSet runtimeClassName: {ours}, " if ours else "")
            + "or make the nvidia runtime the default one"
            if ours
            else "make the nvidia runtime known to the engine, as the default one",
            commands=configure(scene, engine, "--set-as-default") or restart(scene, engine),
        ),
        about=engine.title,
    )


RULE = Rule(id="D-K8S-1", link="injection", severity="error", look=_look)
