"""A link to a driver's library of one version that is not there, as a committed container has them."""

from collections.abc import Iterator

from linkspan.check.inside import version_of
from linkspan.image import driver
from linkspan.image.layers import each_layer
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_FIX = "RUN rm -f the links in the same layer that made them, or build without a GPU: a start makes them itself"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = (entry for entry in image.entries.values() if _dangles(image, entry))
    yield from each_layer(found, "links lead to a driver that is not in the image: {names}", _FIX)


def _dangles(image: Image, entry: Entry) -> bool:
    # libcuda.so -> libcuda.so.1 is a known trick for programs that open the plain name; it holds for every driver.
    if entry.kind != "link" or not driver.is_driver_path(entry.path) or not version_of(entry.target):
        return False
    return image.resolve(entry.path) is None


RULE = Rule(
    id="I-BOUNDARY-3",
    title="links to a driver that is not there",
    area="boundary",
    severity="warning",
    why="They name one driver version; with another one they lead nowhere, and hide that nothing was injected.",
    look=_look,
)
