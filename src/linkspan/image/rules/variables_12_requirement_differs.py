"""A requirement that is not that of the CUDA in the image."""

from collections.abc import Iterator

from linkspan.check.cuda import older
from linkspan.errors import RequirementError
from linkspan.formats import versions
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack
from linkspan.plan.requirements import parse

_NAME = "NVIDIA_REQUIRE_CUDA"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    asked, there = _asked(image.config.variables.get(_NAME, "")), stack(image).release
    fix = f"ENV {_NAME}='cuda>={there}', or start from the base image of CUDA {there}"
    if older(there, asked):
        cause = f"{_NAME} wants CUDA {asked}, and the image holds CUDA {there}: hosts are refused that would do"
        yield Broken(cause=cause, fix=fix, severity="warning")
    elif older(asked, there) and _major(asked) < _major(there):
        cause = f"{_NAME} is content with CUDA {asked}, and the image holds CUDA {there}, which needs a newer driver"
        yield Broken(cause=cause, fix=fix)


def _asked(text: str) -> str:
    """The oldest CUDA with which a start is allowed; empty where that is not a matter of CUDA, or cannot be read."""
    try:
        alternatives = parse(_NAME, text).alternatives
    except RequirementError:
        return ""
    terms = (term for every in alternatives for term in every)
    found = [value for name, operator, value in terms if name == "cuda" and operator in (">=", "=")]
    return min(found, key=lambda value: versions.parse(value) or (), default="")


def _major(version: str) -> int:
    return (versions.parse(version) or (0,))[0]


RULE = Rule(
    id="I-VARIABLES-12",
    title="the requirement is not that of the image's CUDA",
    area="variables",
    severity="error",
    why="The start is let through or refused by this variable alone, whatever CUDA the programs then use.",
    look=_look,
)
