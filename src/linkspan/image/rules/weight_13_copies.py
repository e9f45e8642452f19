"""One library of CUDA several times: from CUDA's own packages, and again from Python's."""

from collections.abc import Iterator

from linkspan.image.copies import Copies, copies
from linkspan.image.layers import LEAST, MOST_PATHS, human, listed
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    # What a package of Python's has for itself, as Triton its profiler's library, nobody can take out of it.
    found = [one for one in copies(image) if len(one.places) > 1 or not one.places[0].endswith("-packages")]
    waste = sum(one.waste for one in found)
    if waste < LEAST:
        return
    paths = tuple(entry.path for one in found for entry in one.entries)
    yield Broken(
        cause=f"libraries of CUDA are there several times, {human(waste)} too much: {listed(map(_told, found))}",
        fix=_fix(found),
        paths=paths[:MOST_PATHS],
        bytes=waste,
    )


def _told(one: Copies) -> str:
    return f"{one.name} in {' and '.join(one.places)}" + (" twice" if len(one.places) == 1 else "")


def _fix(found: list[Copies]) -> str:
    places = {place for one in found for place in one.places}
    wheels = {place for place in places if place.endswith("-packages")}
    if wheels and wheels != places:
        return "FROM nvidia/cuda:…-base-…, or a plain distribution: the wheels bring their own CUDA"
    return "keep one of them: one environment, and one version of CUDA"


RULE = Rule(
    id="I-WEIGHT-13",
    title="several copies of one CUDA library",
    area="weight",
    severity="warning",
    why="Each costs its size, and which of them a program loads depends on paths that nobody looks at.",
    look=_look,
)
