"""CUDA programs in an image that does not ask for the driver's part for them."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.needs import capability_words, granted
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack
from linkspan.plan.capabilities import VARIABLE


def _look(image: Image, _: Target) -> Iterator[Broken]:
    if "compute" not in granted(image) and stack(image).uses_cuda:
        words = ",".join(("compute", *capability_words(image)))
        yield Broken(
            cause=f"the image uses CUDA, and {VARIABLE} does not grant compute",
            fix=f"ENV {VARIABLE}={words}",
        )


RULE = Rule(
    id="I-VARIABLES-5",
    title="CUDA without the capability compute",
    area="variables",
    severity="error",
    why="Without compute the driver's libcuda.so.1 stays outside, and CUDA finds no GPU.",
    look=_look,
)
