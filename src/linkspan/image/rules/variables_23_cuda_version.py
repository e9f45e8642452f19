"""CUDA_VERSION that is not the version of the CUDA that is there."""

from collections.abc import Iterator

from linkspan.formats import versions
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    value, there = image.config.variables.get("CUDA_VERSION", ""), stack(image).system_release
    said = versions.release(value)
    if there and said and said != there:
        yield Broken(
            cause=f"CUDA_VERSION={value}, and the image's CUDA is {there}",
            fix=f"take ENV CUDA_VERSION out, or start from the base image of CUDA {there}",
        )


RULE = Rule(
    id="I-VARIABLES-23",
    title="CUDA_VERSION is not the CUDA that is there",
    area="variables",
    severity="warning",
    why="Scripts and builds choose their packages by it, and without a requirement it alone decides on a start.",
    look=_look,
)
