"""A requirement that nobody can read."""

from collections.abc import Iterator

from linkspan.errors import RequirementError
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.plan.requirements import PREFIX, parse


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for name, value in sorted(image.config.variables.items()):
        if not name.startswith(PREFIX) or name.startswith(f"{PREFIX}JETPACK"):
            continue
        try:
            parse(name, value)
        except RequirementError as error:
            yield Broken(cause=str(error), fix=f"ENV {name}='cuda>=12.4', or leave the base image's value as it is")


RULE = Rule(
    id="I-VARIABLES-11",
    title="a requirement that cannot be read",
    area="variables",
    severity="error",
    why="The start of the container is refused: what is required is not known, so it cannot hold.",
    look=_look,
)
