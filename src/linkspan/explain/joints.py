"""What lies between the boxes of a chain, and the runs in which they stand on one side: shared by every picture."""

from itertools import groupby, pairwise
from typing import Literal, NamedTuple

from linkspan.explain.chain import Box, Side

Joint = Literal["holds", "broken", "doubtful", "open"]
"""``open``: nothing came this far, or nobody knows."""

SIDES: dict[Side, str] = {"container": "In the container", "bridge": "The bridge", "host": "On the host"}


class Placed(NamedTuple):
    """A box with the joint that leads to it; None for the first of the chain. ``number`` counts from 0."""

    number: int
    box: Box
    joint: Joint | None


class Run(NamedTuple):
    """Boxes that stand on one side, one after the other; ``leaves`` is the joint to the next run, None for the last."""

    side: Side
    boxes: tuple[Placed, ...]
    leaves: Joint | None


Toward = Literal["hardware", "application"]
"""Where the last box of a picture stands: ``explain`` begins at the application, the doctor at the hardware."""


def between(upper: Box, lower: Box, ends: bool, toward: Toward = "hardware") -> Joint:
    """The joint between a box and the next one below it in the picture.

    A broken box is cut off from its neighbour on the application's side, which falls into the void there. Where it is
    the application itself (``ends``), which has no such neighbour, it is cut off from the other.
    """
    void, solid = (lower, upper) if toward == "hardware" else (upper, lower)
    if void.state == "broken" or (ends and solid.state == "broken"):
        return "broken"
    states = {upper.state, lower.state}
    if states & {"not reached", "unknown"}:
        return "open"
    return "doubtful" if "doubtful" in states else "holds"


def placed(boxes: tuple[Box, ...], toward: Toward = "hardware") -> tuple[Placed, ...]:
    """The boxes in their order, each with the joint above it."""
    end = 0 if toward == "hardware" else len(boxes) - 2
    pairs = enumerate(pairwise(boxes))
    joints = [between(upper, lower, number == end, toward) for number, (upper, lower) in pairs]
    above: list[Joint | None] = [None, *joints]
    return tuple(Placed(number, box, above[number]) for number, box in enumerate(boxes))


def runs(boxes: tuple[Box, ...], toward: Toward = "hardware") -> tuple[Run, ...]:
    """The chain in runs; where it goes from one bank to the other without a bridge, an empty one lies between."""
    groups = [tuple(group) for _, group in groupby(placed(boxes, toward), key=lambda item: item.box.side)]
    found: list[Run] = []
    for number, group in enumerate(groups):
        if found and "bridge" not in {found[-1].side, group[0].box.side}:
            found.append(Run("bridge", (), group[0].joint))
        leaves = groups[number + 1][0].joint if number + 1 < len(groups) else None
        found.append(Run(group[0].box.side, group, leaves))
    return tuple(found)
