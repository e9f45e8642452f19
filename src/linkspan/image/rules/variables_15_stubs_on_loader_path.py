"""Stubs where the loader looks for libraries."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.needs import loader_path
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    words = list(loader_path(image))
    bad = [word for word in words if "stubs" in word.split("/")]
    if bad:
        rest = ":".join(word for word in words if word and word not in bad)
        yield Broken(
            cause=f"LD_LIBRARY_PATH leads to stubs: {bad[0]}",
            fix=f"ENV LIBRARY_PATH={bad[0]} for linking, and ENV LD_LIBRARY_PATH={rest}",
        )


RULE = Rule(
    id="I-VARIABLES-15",
    title="stubs on LD_LIBRARY_PATH",
    area="variables",
    severity="error",
    why="The loader takes what stands there before the driver: programs run with a libcuda that can do nothing.",
    look=_look,
)
