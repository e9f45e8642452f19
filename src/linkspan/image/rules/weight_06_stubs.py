"""Stubs to link against, left where nothing is linked any more."""

from collections.abc import Iterator

from linkspan.image.compilers import needs_nvcc
from linkspan.image.layers import each_layer
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_FIX = "take a runtime image for the last stage; stubs come with devel images and -dev packages"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    if needs_nvcc(image):
        return
    found = [entry for entry in image.entries.values() if entry.kind == "file" and "/stubs/" in entry.path]
    libraries = (entry for entry in found if ".so" in entry.name)
    yield from each_layer(libraries, "stubs to link against are in the image: {names}", _FIX)


RULE = Rule(
    id="I-WEIGHT-6",
    title="stubs to link against",
    area="weight",
    severity="info",
    why="They are small and only wait to be found: one wrong path, and programs load them instead of the driver.",
    look=_look,
)
