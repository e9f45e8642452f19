"""A CUDA version so old that it knows no minor version compatibility, and no GPU of this decade."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    old = [part for part in stack(image).runtimes if 0 < part.cuda < 11]
    if old:
        yield Broken(
            cause=f"CUDA {old[0].version or old[0].cuda} has been without support for years",
            fix="build for CUDA 12 or later; nvidia/cuda keeps only images of the last two major versions",
            paths=tuple(part.path for part in old),
        )


RULE = Rule(
    id="I-CUDA-6",
    title="a CUDA version without support",
    area="cuda",
    severity="warning",
    why="Before CUDA 11 there is no code for Ampere and later GPUs, and images of it vanish from the registries.",
    look=_look,
)
