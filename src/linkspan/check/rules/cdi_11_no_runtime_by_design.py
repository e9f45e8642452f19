"""A Docker that gives GPUs by CDI alone: fine in itself, but some tools look only for a runtime named nvidia."""

from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import configure
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("docker"):
        by_cdi = cdi_use.knows_cdi(engine) and bool(scene.specs.of_kind())
        if by_cdi and "nvidia" not in engine.view.runtimes and not engine.problem and not engine.rootless:
            yield Found(
                cause="GPUs come by CDI names; tools that look for a runtime named nvidia take Docker for unready",
                evidence=(
                    Evidence(subject=engine.config, field="runtimes", value=", ".join(engine.view.runtimes) or "none"),
                    Evidence(subject=scene.specs.of_kind()[0].path, field="kind", value="nvidia.com/gpu"),
                ),
                remedy=Remedy(text="add the runtime, if such a tool is used here", commands=configure(scene, engine)),
                about=engine.title,
            )


RULE = Rule(id="D-CDI-11", link="engine-config", severity="info", look=_look)
