"""The check of requirements, turned off in the image."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.plan.requirements import DISABLE

_TRUE = ("1", "t", "true")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    value = image.config.variables.get(DISABLE, "")
    if value.lower() in _TRUE:
        yield Broken(
            cause=f"{DISABLE}={value} is set in the image",
            fix=f"take ENV {DISABLE} out; who must start it on an older driver sets it with docker run -e {DISABLE}=1",
        )


RULE = Rule(
    id="I-VARIABLES-14",
    title="the driver check is turned off",
    area="variables",
    severity="warning",
    why="Each host is then let through, and one with too old a driver is only noticed when CUDA fails.",
    look=_look,
)
