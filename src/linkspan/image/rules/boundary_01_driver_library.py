"""A library of the driver in the image: it belongs to the host, and must have the version of its kernel module."""

from collections.abc import Iterator

from linkspan.image import driver
from linkspan.image.layers import each_layer
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_FIX = "do not install the driver in the image; it comes from the host when the container starts"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = filter(driver.is_library, image.entries.values())
    yield from each_layer(found, "libraries of the driver are in the image: {names}", _FIX)


RULE = Rule(
    id="I-BOUNDARY-1",
    title="the image holds libraries of the driver",
    area="boundary",
    severity="error",
    why="They only work with the kernel module of their own version, and the host brings its own: one of the two wins.",
    look=_look,
)
