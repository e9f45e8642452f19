"""Secrets in the commands that made the layers: the history keeps them."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.secrets import in_command


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for layer in image.layers:
        for name in in_command(layer.command):
            # Without the layer itself: a finding would repeat its command, and with it the secret.
            yield Broken(
                cause=f"the command that made layer {layer.number} has {name} in it, a secret",
                fix="revoke it, and build with RUN --mount=type=secret instead of ARG or ENV",
            )


RULE = Rule(
    id="I-VARIABLES-21",
    title="a secret in the image's history",
    area="variables",
    severity="error",
    why="The arguments of a build are kept with its commands, and docker history shows them to whoever has the image.",
    look=_look,
)
