"""An image that does not say what it is."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_PREFIX = "org.opencontainers.image."
_TELLING = ("source", "revision", "version", "title", "url", "documentation", "vendor", "description")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    if image.config.is_there and not any(image.config.labels.get(f"{_PREFIX}{name}") for name in _TELLING):
        yield Broken(
            cause="no label says what the image is and where it comes from",
            fix=f"LABEL {_PREFIX}source=… {_PREFIX}version=… {_PREFIX}revision=…",
        )


RULE = Rule(
    id="I-BASE-6",
    title="no labels",
    area="base",
    severity="info",
    why="Who finds the image on a host a year from now cannot tell from which sources it was built.",
    look=_look,
)
