"""containerd's CRI plugin is switched off, so kubelet cannot use it, and its runtimes have no effect."""

from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import configure, restart
from linkspan.check.scene import Scene

_NAMES = ("cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime")


def _look(scene: Scene) -> Iterator[Found]:
    kubelets = scene.processes.named("kubelet")
    if not kubelets or scene.engines_of("crio"):
        return
    for engine in scene.engines_of("containerd"):
        disabled = engine.tree.get("disabled_plugins")
        named = [name for name in _NAMES if isinstance(disabled, list) and name in disabled]
        if named and not engine.rancher:
            yield Found(
                cause=f"disabled_plugins switches off {named[0]} in {engine.config}, which the package of Docker does, "
                "and kubelet needs it",
                evidence=(
                    Evidence(
                        subject=engine.config, field="disabled_plugins", value=", ".join(map(str, disabled or ()))
                    ),
                    Evidence(subject=f"/proc/{kubelets[0].pid}/cmdline", field="command", value=kubelets[0].argv[0]),
                ),
                remedy=Remedy(
                    text=f"take {named[0]} out of disabled_plugins in {engine.config}, then configure and restart",
                    commands=configure(scene, engine) or restart(scene, engine),
                ),
                about=engine.title,
            )


RULE = Rule(id="D-K8S-4", link="engine-config", severity="error", look=_look)
