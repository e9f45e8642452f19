"""Toolkits of two CUDA major versions in one image, both where the loader looks."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = [part for part in stack(image).runtimes if not part.site and part.cuda]
    majors = sorted({part.cuda for part in found})
    if len(majors) > 1:
        yield Broken(
            cause=f"the image has the CUDA runtimes {' and '.join(map(str, majors))} outside of Python's packages",
            fix=f"keep the toolkit that the programs were built with, and purge the others (cuda-*-{majors[0]}-*)",
            paths=tuple(part.path for part in found),
        )


RULE = Rule(
    id="I-CUDA-1",
    title="toolkits of two CUDA major versions",
    area="cuda",
    severity="warning",
    why="A program may load libraries of both, whose states do not know each other; one of the two is dead weight.",
    look=_look,
)
