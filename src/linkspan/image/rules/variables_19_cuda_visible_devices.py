"""CUDA's own choice of GPUs, made in the image."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_NAME = "CUDA_VISIBLE_DEVICES"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    value = image.config.variables.get(_NAME)
    if value is None:
        return
    hides = value.strip() in ("", "-1", "NoDevFiles", "none")
    yield Broken(
        cause=f"{_NAME}={value} is set in the image" + (", and hides every GPU from CUDA" if hides else ""),
        fix=f"take ENV {_NAME} out; set it where the container is started, with docker run -e",
        severity="error" if hides else "warning",
    )


RULE = Rule(
    id="I-VARIABLES-19",
    title="CUDA_VISIBLE_DEVICES is set in the image",
    area="variables",
    severity="warning",
    why="It counts within what the container was given: an index that does not exist there hides all GPUs after it.",
    look=_look,
)
