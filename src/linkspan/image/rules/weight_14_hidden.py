"""Bytes of lower layers that no container sees: what was removed later is still pulled."""

from collections.abc import Iterator

from linkspan.image.hidden import grouped
from linkspan.image.layers import LEAST, MOST_PATHS, human, listed
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for (layer, by), found in grouped(image, again=False):
        size = sum(one.size for one in found)
        if size >= LEAST:
            words = listed(one.path for one in found)
            yield Broken(
                cause=f"layer {by} removes or replaces {human(size)} of layer {layer}: {words}",
                fix="remove it in the RUN that makes it, or make it in another stage: a layer cannot shrink one below",
                paths=tuple(one.path for one in found[:MOST_PATHS]),
                layer=layer,
                bytes=size,
            )


RULE = Rule(
    id="I-WEIGHT-14",
    title="bytes hidden in lower layers",
    area="weight",
    severity="warning",
    why="Every pull fetches and stores them, and whoever has the image can read what was removed.",
    look=_look,
)
