"""Secrets among the variables of an image: whoever has it can read them."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.secrets import is_secret


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for name, value in image.config.variables.items():
        if is_secret(name, value):
            yield Broken(
                cause=f"the variable {name} holds a secret",
                fix=f"revoke it, take ENV {name} out, and give it at the start (docker run -e {name}, or a secret)",
            )


RULE = Rule(
    id="I-VARIABLES-20",
    title="a secret in a variable",
    area="variables",
    severity="error",
    why="Variables stand in the image's configuration, which every pull fetches and docker inspect prints.",
    look=_look,
)
