"""A pod has a runtime class whose handler containerd does not know."""

import re
from collections.abc import Iterator

from linkspan.check.containerd_files import defines_ours, has_ours
from linkspan.check.daemons import FILES, Engine
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import configure, restart
from linkspan.check.scene import Scene

_REFUSED = re.compile(r'no runtime for \\?"(nvidia[\w.-]*)\\?" is configured')


def _look(scene: Scene) -> Iterator[Found]:
    engine = scene.node.engine
    if engine is None or engine.kind != "containerd":
        return
    logged = scene.logged(_REFUSED)
    if logged and (logged[1][1] not in engine.view.runtimes or engine.changed_since_start()):
        yield _found(scene, engine, logged[0], logged[1])
    elif not has_ours(engine.view.runtimes):
        yield from _in_another_file(scene, engine)


def _in_another_file(scene: Scene, engine: Engine) -> Iterator[Found]:
    """Distributions of Kubernetes bring a containerd of their own, which reads a file of its own."""
    usual = FILES["containerd"]
    if engine.config != usual and defines_ours(scene.eyes.text(usual)):
        yield Found(
            cause=f"the nvidia runtime stands in {usual}, and the containerd of this node reads {engine.config}",
            evidence=(
                Evidence(subject=usual, field="runtimes", value="nvidia's"),
                Evidence(subject=engine.config, field="runtimes", value=", ".join(engine.view.runtimes) or "none"),
            ),
            remedy=Remedy(
                text=f"have it written into {engine.config}, and restart that containerd",
                commands=configure(scene, engine) or restart(scene, engine),
            ),
            about=engine.title,
            link="engine-config",
        )


def _found(scene: Scene, engine: Engine, path: str, refused: re.Match[str]) -> Found:
    name = refused[1]
    known = name in engine.view.runtimes
    newer = [file.path for file in engine.changed_since_start()]
    cause = (
        f"the handler {name} stands in {newer[0]}, which is newer than the containerd that runs"
        if known
        else f"a runtime class wants the handler {name}, and containerd has none of this name in {engine.config}"
    )
    wanted = () if known else configure(scene, engine, *(() if name == "nvidia" else ("--runtime-name", name)))
    return Found(
        cause=cause,
        evidence=(
            Evidence(subject=path, field="kubelet", value=refused[0]),
            Evidence(subject=engine.config, field="runtimes", value=", ".join(engine.view.runtimes) or "none"),
        ),
        remedy=Remedy(
            text="restart containerd; pods go on meanwhile"
            if known
            else f"add the handler to the file that containerd reads, {engine.config}, and restart it",
            commands=wanted or restart(scene, engine),
        ),
        about=engine.title,
    )


RULE = Rule(id="D-K8S-2", link="engine", severity="error", look=_look)
