"""A spec in a folder that engines do not look into: /var/run is not /run here."""

from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.model import Evidence, Found
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    lost = cdi_use.unseen(scene)
    if lost and scene.engines and not scene.specs.of_kind():
        yield Found(
            cause=f"{lost[0]} is seen by no engine: they look into {cdi_use.SEEN}, which is another folder here",
            evidence=(
                Evidence(subject=cdi_use.UNSEEN, field="leads to", value=scene.eyes.real(cdi_use.UNSEEN) or "nothing"),
                Evidence(subject=cdi_use.SEEN, field="leads to", value=scene.eyes.real(cdi_use.SEEN) or "nothing"),
            ),
            remedy=cdi_use.refresh(scene, f"have it made in {cdi_use.SEEN}, or make /var/run a link to /run"),
        )


RULE = Rule(id="D-CDI-14", link="bridge", severity="error", look=_look)
