"""Banks and bridges of the SVG picture, with their boxes in place."""

from typing import NamedTuple

from linkspan.explain.joints import SIDES, Joint, Run
from linkspan.explain.markup import Markup, join, tag
from linkspan.explain.svg_boxes import card, station

WIDTH, MARGIN, BANK = 1120, 40, 500
"""Width of the picture, its margin, and the width of a bank; between two banks there are 40 pixels of water."""
PAD, GUTTER, INDENT, GAP, SNAP = 22, 40, 72, 14, 74
"""Within a bank: its padding, where the line runs, where boxes begin, the space between, and that of a fracture."""
HEAD, DECK, HANG, FEET = 56, 54, 32, 28
"""The height of a bank's heading; of the deck below the bridge's upper end; boxes below the deck; water below them."""
STATION = 29
"""How far below the upper edge of a box its station is, on a bank."""


class Spot(NamedTuple):
    """Where the station of a box is, and the joint that leads to it."""

    x: float
    y: float
    joint: Joint | None


class Part(NamedTuple):
    """A run that is drawn: what lies under the line and over it, its stations, where it begins and ends.

    ``deck`` is the height of the bridge's deck; None on a bank.
    """

    ground: Markup
    boxes: Markup
    spots: tuple[Spot, ...]
    top: float
    end: float
    deck: float | None


def left(side: str) -> float:
    """Where a side begins."""
    return WIDTH - MARGIN - BANK if side == "host" else MARGIN


def bank(run: Run, top: float, at_least: float) -> Part:
    """A bank with its boxes below each other; it ends no higher than ``at_least``."""
    x, y = left(run.side), top + HEAD
    drawn: list[Markup] = [_text(SIDES[run.side], x + INDENT, top + 36, "side")]
    spots = []
    for placed in run.boxes:
        if placed.joint == "broken":
            drawn.append(_text("The chain breaks here", x + INDENT, y + SNAP / 2, "word broken"))
            y += SNAP
        made = card(placed.box, BANK - INDENT - PAD)
        spots.append(Spot(x + GUTTER, y + STATION, placed.joint))
        drawn += [_moved(made.drawn, x + INDENT, y), station(placed.box, (x + GUTTER, y + STATION))]
        y += made.height + GAP
    end = max(y - GAP + PAD, at_least)
    ground = tag("rect", x=f"{x:g}", y=f"{top:g}", width=str(BANK), height=f"{end - top:g}", rx="22", class_=run.side)
    return Part(ground, join(drawn), tuple(spots), top, end, None)


def bridge(run: Run, top: float, number: int, rightward: bool) -> Part:
    """A bridge: a deck from one line to the other, with its boxes hanging from it, over the water."""
    deck = top + DECK
    start, width = left("container") + GUTTER, left("host") - left("container")
    slot = width / max(len(run.boxes), 1)
    made = [(placed, card(placed.box, min(slot - 32, 420))) for placed in (run.boxes if rightward else run.boxes[::-1])]
    drawn, spots = [], []
    for place, (placed, one) in enumerate(made):
        middle = start + slot * (place + 0.5)
        spots.append(Spot(middle, deck, placed.joint))
        drawn += [_moved(one.drawn, middle - min(slot - 32, 420) / 2, deck + HANG), station(placed.box, (middle, deck))]
        if placed.joint == "broken":
            drawn.append(_text("The chain breaks here", middle - slot / 2, deck - 34, "word broken"))
    end = deck + HANG + max((one.height for _, one in made), default=12) + FEET
    about = left("host") + INDENT
    drawn += [
        _text(SIDES["bridge"], about, deck + 40, "side"),
        _text("It carries the host’s parts across", about, deck + 64, "soft"),
        _text("when a container starts.", about, deck + 84, "soft"),
    ]
    return Part(
        _water(number, deck, max(end, deck + 110)),
        join(drawn),
        tuple(spots if rightward else spots[::-1]),
        top,
        max(end, deck + 110),
        deck,
    )


def _water(number: int, top: float, end: float) -> Markup:
    wave = tag("path", d="M0 15q16-10 32 0t32 0", class_="wave")
    name = f"waves-{number}"
    pattern = tag("pattern", wave, id=name, width="64", height="28", patternUnits="userSpaceOnUse")
    place = {"x": "0", "y": f"{top:g}", "width": str(WIDTH), "height": f"{end - top:g}"}
    plain, waves = tag("rect", class_="bridge", **place), tag("rect", fill=f"url(#{name})", **place)
    calm = {"x": f"{left('host') + INDENT - 16:g}", "y": f"{top + 18:g}", "width": "310", "height": "78", "rx": "10"}
    return join((pattern, plain, waves, tag("rect", class_="bridge", **calm)))


def _moved(drawn: Markup, x: float, y: float) -> Markup:
    return tag("g", drawn, transform=f"translate({x:g} {y:g})")


def _text(words: str, x: float, y: float, class_: str) -> Markup:
    return tag("text", words, x=f"{x:g}", y=f"{y:g}", class_=class_)
