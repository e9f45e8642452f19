"""Files that a later layer has again in the same size: their owner or mode was changed, and the layer took a copy."""

from collections.abc import Iterator

from linkspan.image.hidden import grouped
from linkspan.image.layers import LEAST, MOST_PATHS, human, listed
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for (layer, by), found in grouped(image, again=True):
        size = sum(one.size for one in found)
        if size >= LEAST:
            yield Broken(
                cause=f"layer {by} has {human(size)} of layer {layer} once more: {listed(one.path for one in found)}",
                fix="COPY --chown=… --chmod=…, or chown and chmod in the RUN that makes the files",
                paths=tuple(one.path for one in found[:MOST_PATHS]),
                layer=by,
                bytes=size,
            )


RULE = Rule(
    id="I-WEIGHT-15",
    title="files stored twice for a change of owner or mode",
    area="weight",
    severity="warning",
    why="A layer keeps whole files: chown -R over a framework doubles it.",
    look=_look,
)
