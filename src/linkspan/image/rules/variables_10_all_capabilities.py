"""All capabilities, where a few would do."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.needs import capability_words
from linkspan.image.registry import Broken, Rule, Target
from linkspan.plan.capabilities import VARIABLE


def _look(image: Image, _: Target) -> Iterator[Broken]:
    if "all" in capability_words(image):
        yield Broken(
            cause=f"{VARIABLE} asks for all of the driver",
            fix=f"ENV {VARIABLE}=compute,utility, with video or graphics added where they are used",
        )


RULE = Rule(
    id="I-VARIABLES-10",
    title="all capabilities are asked for",
    area="variables",
    severity="info",
    why="Graphics and video bring dozens of libraries and mounts, and a host that has not all of them may refuse.",
    look=_look,
)
