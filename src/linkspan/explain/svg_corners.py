"""The free corners of the SVG picture: what to do, and what was read."""

from collections.abc import Iterator
from typing import NamedTuple

from linkspan.check.model import Evidence
from linkspan.explain import shown
from linkspan.explain.broken_lines import wrap
from linkspan.explain.chain import Box, Chain
from linkspan.explain.markup import Markup, join, tag
from linkspan.explain.svg_text import BOLD, MONO, SANS, lines

READ = 6
"""Pieces of evidence that are drawn; the page has them all."""


class Corner(NamedTuple):
    """What is drawn, and where it ends."""

    drawn: Markup
    end: float


class Words(NamedTuple):
    """A piece of text: ``kind`` is heading, side, text, soft, mono or code, a command in a frame of its own."""

    kind: str
    text: str


_STEPS = {"heading": 34, "side": 28, "text": 22, "soft": 22, "mono": 20, "code": 20}
_AFTER = {"heading": 6, "soft": 2, "mono": 10, "text": 4, "code": 12}
_SIZES = {
    "heading": 20 * SANS,
    "side": 16 * BOLD,
    "text": 15 * SANS,
    "soft": 15 * SANS,
    "mono": 13 * MONO,
    "code": 13 * MONO,
}


def texts(chain: Chain) -> tuple[list[Words], list[Words]]:
    """The texts of the upper corner and of the lower one; what to do comes first."""
    first = chain.broken or next((box for box in reversed(chain.boxes) if box.state != "holds" and box.remedy), None)
    read = list(_read(chain, first))
    if first and first.remedy:
        return list(_mend(first)), read
    return read, []


def _mend(box: Box) -> Iterator[Words]:
    yield Words("heading", "How to mend it")
    yield Words("side", shown.line(box.title, 120))
    if box.detail:
        yield Words("soft", shown.line(box.detail, 600))
    assert box.remedy is not None
    yield Words("text", shown.line(box.remedy.text, 1000))
    for command in box.remedy.commands:
        yield Words("code", shown.line(command, 600))


def _read(chain: Chain, first: Box | None) -> Iterator[Words]:
    """The evidence for what is broken, or else of the whole chain."""
    pieces = first.evidence if first and first.evidence else [one for box in chain.boxes for one in box.evidence]
    if pieces:
        yield Words("heading", "What was read")
    for piece in pieces[:READ]:
        yield from _piece(piece)


def _piece(piece: Evidence) -> Iterator[Words]:
    field = f", {shown.line(piece.field)}" if piece.field else ""
    yield Words("soft", shown.line(piece.subject) + field)
    yield Words("mono", shown.line(piece.value, 400) or "nothing")


def draw(words: list[Words], x: float, top: float, width: float) -> Corner:
    """The texts below each other."""
    drawn, y = [], top + 12
    for kind, text in words:
        framed = kind == "code"
        step = _STEPS[kind]
        broken = wrap(text, int((width - 32 * framed) / _SIZES[kind]), 6)
        if framed:
            drawn.append(_frame(x, y + 10, width, step * len(broken) + 20))
            y += 20
        drawn.append(lines(x + 16 * framed, y + step - 4, broken, step, "mono" if framed else kind))
        y += step * len(broken) + _AFTER.get(kind, 0)
    return Corner(join(drawn), y + 16)


def _frame(x: float, y: float, width: float, height: float) -> Markup:
    return tag("rect", x=f"{x:g}", y=f"{y:g}", width=f"{width:g}", height=f"{height:g}", rx="10", class_="code")
