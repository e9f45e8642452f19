"""Blanks between capabilities: not everybody who reads the variable takes them away."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.needs import capability_words
from linkspan.image.registry import Broken, Rule, Target
from linkspan.plan.capabilities import VARIABLE


def _look(image: Image, _: Target) -> Iterator[Broken]:
    value = image.config.variables.get(VARIABLE, "")
    words = value.split(",")
    if value and any(word != word.strip() or not word.strip() for word in words):
        yield Broken(
            cause=f"{VARIABLE}={value!r} has blanks or empty words in it",
            fix=f"ENV {VARIABLE}={','.join(capability_words(image)) or 'compute,utility'}",
        )


RULE = Rule(
    id="I-VARIABLES-4",
    title="blanks between capabilities",
    area="variables",
    severity="warning",
    why="The toolkit's older part takes blanks away and its newer one does not, so a capability is granted or is not.",
    look=_look,
)
