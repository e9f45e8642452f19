"""A capability that there is not."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.needs import capability_words
from linkspan.image.registry import Broken, Rule, Target
from linkspan.plan.capabilities import VARIABLE
from linkspan.plan.model import CAPABILITIES


def _look(image: Image, _: Target) -> Iterator[Broken]:
    words = dict.fromkeys(capability_words(image))
    unknown = [word for word in words if word not in CAPABILITIES and word != "all"]
    if unknown:
        right = [word.lower() for word in words if word.lower() in (*CAPABILITIES, "all")]
        yield Broken(
            cause=f"{VARIABLE} names {', '.join(unknown)}, which is no capability",
            fix=f"ENV {VARIABLE}={','.join(dict.fromkeys(right)) or 'compute,utility'}",
        )


RULE = Rule(
    id="I-VARIABLES-3",
    title="a capability that does not exist",
    area="variables",
    severity="error",
    why="NVIDIA's hook refuses to start the container over such a word, and CDI leaves it out without saying so.",
    look=_look,
)
