"""A chain drawn for a terminal in lines of text: a frame for each side, the line from mark to mark through all of them.

What to do about it is not in the picture: a command has to stand on a line of its own, however long, to be copied.
With ``ascii`` nothing but ASCII is printed, for terminals that know no more. Colour adds to the marks and the words and
says nothing by itself; rich leaves it out where nobody wants it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace
from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from linkspan.check import verdict
from linkspan.check.model import Report
from linkspan.explain import joints, report_chain, shown
from linkspan.explain.broken_lines import columns, wrap
from linkspan.explain.chain import Box, Chain
from linkspan.explain.joints import SIDES, Joint, Placed, Run

WIDEST = 100
"""Columns of the picture; a wider terminal does not make it easier to read."""


class _Pen(NamedTuple):
    """What lines and marks are made of."""

    corners: str
    level: str
    upright: str
    rails: dict[Joint, str]
    marks: dict[str, str]
    snapped: tuple[str, str, str]


_FINE = _Pen(
    corners="╭╮╰╯",
    level="─",
    upright="│",
    rails={"holds": "┃", "doubtful": "┃", "broken": "┃", "open": "╎"},
    marks={"holds": "✓", "broken": "✗", "doubtful": "!", "not reached": "–", "unknown": "?"},
    snapped=("╿", "╳", "╽"),
)
_PLAIN = _Pen(
    corners="++++",
    level="-",
    upright="|",
    rails={"holds": "#", "doubtful": "#", "broken": "#", "open": ":"},
    marks={"holds": "*", "broken": "x", "doubtful": "!", "not reached": "-", "unknown": "?"},
    snapped=("'", "X", ","),
)
_STYLES = {
    "holds": "green",
    "broken": "bold red",
    "doubtful": "yellow",
    "open": "dim",
    "not reached": "dim",
    "unknown": "dim",
}
_LIKE = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "×": "x", "→": "->"})


def render(chain: Chain, ascii: bool = False) -> RenderableType:  # noqa: A002  # the name that says it
    """The chain as something that rich prints, as wide as the terminal is."""
    return _Drawing(joints.runs(chain.boxes), _PLAIN if ascii else _FINE)


def render_report(report: Report, ascii: bool = False) -> RenderableType:  # noqa: A002  # the name that says it
    """The links of a report of the doctor as the same picture, from hardware to application."""
    boxes = []
    for box in report_chain.boxes(report):
        found = [finding.title for finding in verdict.in_order(report.findings) if finding.link == box.key]
        boxes.append(replace(box, detail="; ".join(found)) if found else box)
    return _Drawing(joints.runs(tuple(boxes), toward="application"), _PLAIN if ascii else _FINE)


class _Drawing:
    """Runs of boxes, drawn when their width is known."""

    def __init__(self, runs: tuple[Run, ...], pen: _Pen) -> None:
        self._runs = runs
        self._pen = pen

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        width = max(min(options.max_width, WIDEST), 24)
        for parts in self._lines(width):
            line = Text(no_wrap=True, overflow="ignore", end="\n")
            for text, style in parts:
                line.append(self._safe(text), style)
            line.rstrip()
            yield line

    def _safe(self, text: str) -> str:
        return text if self._pen is _FINE else text.translate(_LIKE).encode("ascii", "backslashreplace").decode()

    def _lines(self, width: int) -> "Iterator[_Line]":
        for number, run in enumerate(self._runs):
            yield self._edge(run, width, top=True, rail=_entering(run) if number else None)
            for line in self._inside(run, width):
                yield self._framed(line, width)
            yield self._edge(run, width, top=False, rail=run.leaves)
            if run.leaves:
                yield [("  ", ""), self._rail(run.leaves)]

    def _edge(self, run: Run, width: int, top: bool, rail: Joint | None) -> "_Line":
        """The upper or lower edge of a frame, with the line going through it."""
        pen = self._pen
        start, end = (pen.corners[0], pen.corners[1]) if top else (pen.corners[2], pen.corners[3])
        title = f" {SIDES[run.side]} " if top else ""
        through = self._rail(rail) if rail else (pen.level, "dim")
        rest = pen.level * (width - 5 - len(title)) + end
        return [(f"{start}{pen.level}", "dim"), through, (pen.level, "dim"), (title, "bold"), (rest, "dim")]

    def _framed(self, line: "_Line", width: int) -> "_Line":
        used = sum(columns(self._safe(text)) for text, _ in line)
        side = (self._pen.upright, "dim")
        return [side, (" ", ""), *line, (" " * max(width - 3 - used, 0), ""), side]

    def _inside(self, run: Run, width: int) -> "Iterator[_Line]":
        leaving = [*(placed.joint for placed in run.boxes[1:]), run.leaves]
        for place, (placed, out) in enumerate(zip(run.boxes, leaving, strict=True)):
            yield from self._arriving(placed, place == 0)
            yield from self._box(placed.box, out, width - 4)

    def _arriving(self, placed: Placed, first: bool) -> "Iterator[_Line]":
        """What leads to a box from the one above: a piece of the line, or the place where it is snapped."""
        if placed.joint == "broken":
            words = ("", "  the chain breaks here", "")
            for piece, text in zip(self._pen.snapped, words, strict=True):
                yield [(piece, _STYLES["broken"]), (text, _STYLES["broken"])]
        elif placed.joint and not first:
            yield [self._rail(placed.joint)]

    def _box(self, box: Box, out: Joint | None, width: int) -> "Iterator[_Line]":
        style, room = _STYLES[box.state], width - 4 - len(box.state)
        rail = self._rail(out) if out else (" ", "")
        name = " ".join(part for part in (shown.line(box.title), shown.line(box.version, 60)) if part)
        heading = self._wrapped(name, room, 3) or [""]
        space = " " * (room + 2 - columns(heading[0]))
        yield [(self._pen.marks[box.state], style), (" ", ""), (heading[0], "bold"), (space, ""), (box.state, style)]
        for text in heading[1:]:
            yield [rail, (" ", ""), (text, "bold")]
        for text, limit in ((shown.line(box.path, 1000), 3), (_owner(box), 2), (shown.line(box.detail, 1000), 6)):
            for line in self._wrapped(text, width - 2, limit):
                yield [rail, (" ", ""), (line, "")]

    def _wrapped(self, text: str, width: int, limit: int) -> list[str]:
        return wrap(self._safe(text), width, limit)

    def _rail(self, joint: Joint) -> tuple[str, str]:
        return self._pen.rails[joint], _STYLES[joint]


_Line = list[tuple[str, str]]


def _entering(run: Run) -> Joint | None:
    return run.boxes[0].joint if run.boxes else run.leaves


def _owner(box: Box) -> str:
    return f"owner: {shown.line(box.owner)}" if box.owner else ""
