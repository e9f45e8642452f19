"""A Docker that chooses the vendor of ``--gpus`` by itself, and finds nothing of NVIDIA's."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import restart
from linkspan.check.scene import HOOKS, Scene
from linkspan.store.registry import SPEC_FOLDERS

CHOOSES_SINCE = (29,)
"""moby/moby#52048: from then on --gpus goes to the vendor whose hook or spec is there, and AMD's answer comes last."""


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("docker"):
        if engine.version < CHOOSES_SINCE or engine.snap or scene.specs.of_kind() or bridge.hook(scene, engine):
            continue
        yield Found(
            cause="dockerd finds neither NVIDIA's hook nor a CDI spec of NVIDIA's, so another vendor's driver answers",
            evidence=(
                Evidence(subject="PATH of dockerd", value=engine.path),
                Evidence(subject=", ".join(SPEC_FOLDERS), field="specs of nvidia.com/gpu", value="none"),
            ),
            remedy=Remedy(
                text=f"put {HOOKS[0]} in place, or write the spec, then restart dockerd",
                commands=("linkspan install", "linkspan cdi refresh", *restart(scene, engine)),
            ),
            about=engine.title,
        )


RULE = Rule(id="D-ENGINE-6", link="engine", severity="error", look=_look)
