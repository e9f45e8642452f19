"""A CUDA version so old that it knows no minor version compatibility, and no GPU of this decade."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    runtimes = stack(image).runtimes
    old = [part for part in runtimes if 0 < part.cuda < 11]
    aged = [part for part in runtimes if part.cuda == 11] if all(part.cuda <= 11 for part in runtimes) else []
    if aged and not old:
        yield Broken(
            cause=f"CUDA {aged[0].version or 11} gets no releases any more, and has no code for GPUs after Hopper",
            fix="build for CUDA 12 or later, for which frameworks are made",
            paths=tuple(part.path for part in aged),
            severity="info",
        )
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
    why="No fix and no new GPU comes to it, frameworks leave it, and its images vanish from the registries.",
    look=_look,
)
