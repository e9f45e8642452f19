"""A loader path with an empty or relative word in it, which means wherever the program happens to be started."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.needs import loader_path
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    words = list(loader_path(image))
    bad = [word for word in words if not word.startswith(("/", "$"))]
    if bad:
        rest = ":".join(word for word in words if word not in bad)
        yield Broken(
            cause="LD_LIBRARY_PATH has "
            + ("an empty word" if "" in bad else f"the relative word {bad[0]}")
            + ", which is the current folder",
            fix=f"ENV LD_LIBRARY_PATH={rest}; in a Dockerfile append with ${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}",
        )


RULE = Rule(
    id="I-VARIABLES-17",
    title="the current folder on LD_LIBRARY_PATH",
    area="variables",
    severity="warning",
    why="Libraries are then taken from whichever folder a program is started in, one with foreign files among them.",
    look=_look,
)
