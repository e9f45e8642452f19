"""Configuration of the loader that a start of a GPU container wrote: it was committed with the image."""

import re
from collections.abc import Iterator

from linkspan.image.layers import each_layer
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_WRITTEN = re.compile(r"/etc/ld\.so\.conf\.d/(00-compat-.*|00-nvcr-.*|nvcr-.*)\.conf")
_FIX = "build the image from a Dockerfile, without a GPU; or RUN rm -f these files && ldconfig"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = (entry for path, entry in image.entries.items() if _WRITTEN.fullmatch(path))
    yield from each_layer(found, "the image holds the loader's configuration of an earlier start: {names}", _FIX)


RULE = Rule(
    id="I-BOUNDARY-16",
    title="an earlier start's configuration of the loader",
    area="boundary",
    severity="error",
    why="It sends programs to the compatibility library of one host; on a newer driver CUDA then ends with error 803.",
    look=_look,
)
