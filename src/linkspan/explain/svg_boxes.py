"""The boxes of the SVG picture, each with its station on the line."""

from typing import NamedTuple

from linkspan.explain import shown
from linkspan.explain.broken_lines import columns, wrap
from linkspan.explain.chain import Box
from linkspan.explain.markup import Markup, join, tag
from linkspan.explain.svg_lines import Point
from linkspan.explain.svg_text import BOLD, MONO, SANS, lines

_MARKS = {
    "holds": "M-6 .5l4 4 8-9",
    "broken": "M-5-5l10 10M5-5l-10 10",
    "doubtful": "M0-7v8M0 6v.5",
    "not reached": "M-6 0h12",
    "unknown": "M-4-3a4 4 0 1 1 5.6 3.7c-1 .5-1.6 1-1.6 2M0 7v.3",
}
TITLE, TEXT, CODE = 17, 15, 13
"""Sizes of fonts, as in picture.css."""
NARROW = 240
"""Pixels that title and state need to stand beside each other."""


class Card(NamedTuple):
    """A box made ready: what is drawn at the origin of its own, and its height."""

    drawn: Markup
    height: float


def kind(state: str) -> str:
    """The class of a state: what was not reached and what is unknown look alike, apart from their marks and words."""
    return state if state in {"holds", "broken", "doubtful"} else "open"


def station(box: Box, place: Point) -> Markup:
    """The mark of a box's state on the line."""
    circle = tag("circle", r="14", class_=f"station {kind(box.state)}")
    mark = tag("path", d=_MARKS[box.state], class_=f"mark {kind(box.state)}")
    return tag("g", circle, mark, transform=f"translate({place[0]:g} {place[1]:g})")


def card(box: Box, width: float) -> Card:
    """A box of this width, with everything known of it; its full texts are in its title."""
    inner = width - 36
    parts, y = _heading(box, inner)
    for text, size, step, limit, class_ in (
        (shown.line(box.path, 1000), CODE * MONO, 19, 2, "mono"),
        (f"owner: {shown.line(box.owner)}" if box.owner else "", TEXT * SANS, 20, 2, "soft"),
        (shown.line(box.detail, 1000), TEXT * SANS, 20, 4, "soft"),
    ):
        broken = wrap(text, int(inner / size), limit)
        parts.append(lines(18, y + step, broken, step, class_))
        y += step * len(broken)
    height = y + 18
    frame = tag("rect", width=f"{width:g}", height=f"{height:g}", rx="14", class_=f"box {kind(box.state)}")
    return Card(join((tag("title", _whole(box)), frame, *parts)), height)


def _heading(box: Box, inner: float) -> tuple[list[Markup], float]:
    """Title, state and version, and where they end; in a narrow box each has lines of its own."""
    beside = inner >= NARROW
    room = int((inner - (9 * columns(box.state) + 16) * beside) / (TITLE * BOLD))
    title, version = wrap(shown.line(box.title, 120), room, 2), shown.line(box.version, 60)
    if beside and len(title) == 1 and columns(f"{title[0]}  {version}") <= room:
        spans = (tag("tspan", title[0], class_="title"), tag("tspan", f"  {version}" if version else "", class_="soft"))
        return [tag("text", *spans, x="18", y="33"), _state(box, inner + 18, 33)], 37
    y = 33 + 22 * (len(title) - 1)
    parts = [lines(18, 33, title, 22, "title")]
    below = [] if beside else wrap(box.state, int(inner / (TEXT * SANS)), 2)
    parts.append(_state(box, inner + 18, 33) if beside else lines(18, y + 21, below, 20, f"word {kind(box.state)}"))
    y += 21 * len(below)
    more = wrap(version, int(inner / (TEXT * SANS)), 1)
    return [*parts, lines(18, y + 20, more, 20, "soft")], y + 4 + 20 * len(more)


def _state(box: Box, end: float, foot: float) -> Markup:
    return tag("text", box.state, x=f"{end:g}", y=f"{foot:g}", class_=f"state {kind(box.state)}")


def _whole(box: Box) -> str:
    parts = (f"{box.title} {box.version}: {box.state}", box.path, box.owner, box.detail)
    return "; ".join(shown.line(part, 1000) for part in parts if part)
