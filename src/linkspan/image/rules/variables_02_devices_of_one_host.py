"""GPUs of one host named in the image, or none at all."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.plan.sources import VISIBLE_DEVICES


def _look(image: Image, _: Target) -> Iterator[Broken]:
    value = image.config.variables.get(VISIBLE_DEVICES)
    if value is None or value.strip() == "all":
        return
    words = {word.strip() for word in value.split(",")}
    what = "turns GPUs off" if words & {"", "void", "none"} else "names GPUs of one host"
    yield Broken(cause=f"{VISIBLE_DEVICES}={value} {what}", fix=f"ENV {VISIBLE_DEVICES}=all")


RULE = Rule(
    id="I-VARIABLES-2",
    title="the image chooses GPUs",
    area="variables",
    severity="warning",
    why="Which GPUs a container gets is decided where it is started; an index or a UUID fits one machine.",
    look=_look,
)
