"""Docker that knows CDI, in which it is switched off, beside a spec that waits to be used."""

from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.engines import docker


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("docker"):
        off = engine.view.cdi is False or (docker.needs_cdi_switch(engine.version) and engine.view.cdi is not True)
        switch = "not set" if engine.view.cdi is None else str(engine.view.cdi).lower()
        if engine.version >= docker.CDI_SINCE and off and scene.specs.of_kind() and not engine.problem:
            version = ".".join(map(str, engine.version))
            yield Found(
                cause=f"CDI is off in Docker {version}, so --device nvidia.com/gpu=… finds no device",
                evidence=(
                    Evidence(subject=engine.config, field="features.cdi", value=switch),
                    Evidence(subject=scene.specs.of_kind()[0].path, field="kind", value="nvidia.com/gpu"),
                ),
                remedy=Remedy(
                    text="switch CDI on, or ask for GPUs by --gpus",
                    commands=("linkspan engine configure docker --cdi --restart",) if scene.has("linkspan") else (),
                ),
                about=engine.title,
            )


RULE = Rule(id="D-ENGINE-5", link="engine-config", severity="warning", look=_look)
