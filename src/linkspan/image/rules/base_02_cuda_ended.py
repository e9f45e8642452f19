"""CUDA that is no longer supported."""

from collections.abc import Iterator

from linkspan.formats import versions
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack

_OLDEST = 11
"""The major version of CUDA below which there is neither an image nor a fix any more."""
_FIX = "FROM nvidia/cuda:12.9.1-…, or the version that the framework is built for"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    env, found = image.config.variables, stack(image)
    version = "" if found.runtimes else env.get("CUDA_VERSION", "")  # of the CUDA that is there another rule tells
    numbers = versions.parse(version) or ()
    if env.get("NVIDIA_CUDA_END_OF_LIFE"):
        cause = "NVIDIA marked the base image as at its end of life, and deletes it"
        yield Broken(cause=cause, fix=_FIX)
    elif numbers and numbers[0] < _OLDEST:
        yield Broken(cause=f"the image's CUDA is {version}, which is no longer supported", fix=_FIX)


RULE = Rule(
    id="I-BASE-2",
    title="CUDA at its end of life",
    area="base",
    severity="warning",
    why="It gets no more fixes, knows no GPU of today, and its base images are taken away, so a rebuild fails one day.",
    look=_look,
)
