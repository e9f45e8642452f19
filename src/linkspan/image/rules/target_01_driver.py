"""The target's driver does not run the CUDA of the image."""

from collections.abc import Iterator

from linkspan.check.cuda import needed_driver
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.runs import by_driver
from linkspan.image.stack import stack


def _look(image: Image, target: Target) -> Iterator[Broken]:
    found = stack(image)
    if not target.driver or not found.cuda:
        return
    way = by_driver(image, target)
    if way.way == "not":
        needed = needed_driver(found.cuda)
        yield Broken(
            cause=f"CUDA {found.cuda} does not run there: {way.why}",
            fix=f"update the host's driver to {needed} or later, or build the image for an older CUDA",
            paths=tuple(part.path for part in found.runtimes[:1]),
        )


RULE = Rule(
    id="I-TARGET-1",
    title="the driver is too old for the image's CUDA",
    area="target",
    severity="error",
    why="Every CUDA call fails: 'CUDA driver version is insufficient for CUDA runtime version'.",
    look=_look,
)
