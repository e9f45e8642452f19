"""Libraries that every program of the container must load, and cannot."""

import re
from collections.abc import Iterator

from linkspan.image import driver
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for word in re.split(r"[\s:]+", image.config.variables.get("LD_PRELOAD", "")):
        what = _fault(image, word) if word and "$" not in word else ""
        if what:
            yield Broken(cause=f"LD_PRELOAD names {word}, {what}", fix=f"take {word} out of ENV LD_PRELOAD")


def _fault(image: Image, word: str) -> str:
    if "/stubs/" in word:
        return "which is a stub"
    if driver.is_driver_path(word):
        return "which is a part of the driver, and differs from host to host"
    there = image.resolve(word) if "/" in word else image.by_name.get(word)
    return "" if there else "which is not in the image"


RULE = Rule(
    id="I-VARIABLES-18",
    title="LD_PRELOAD names what is not there, or the driver",
    area="variables",
    severity="error",
    why="The loader complains at the start of each program, or loads a wrong driver before the right one.",
    look=_look,
)
