"""A pod has a runtime class whose handler containerd does not know."""

import re
from collections.abc import Iterator

from linkspan.check.daemons import Engine
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
