"""Labelled lines under a heading: cause, files, why, fix.

What people read is broken to the terminal's width. What they copy or search for, a path or a command, stays on one line
however long it is: a break within it would be copied, too.
"""

import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

_GAP = 2
_LEAST = 24
"""Columns that a text gets at least, however narrow the terminal is."""


class Field(NamedTuple):
    """A label, which may be empty, and its text; ``exact`` texts are never broken. ``style`` is one of rich's."""

    label: str
    text: str
    style: str = ""
    exact: bool = False
    label_style: str = "dim"


class Fields:
    """Fields below each other, their texts in one column."""

    def __init__(self, rows: list[Field], indent: int = 2, *, space: bool = False) -> None:
        self._rows = rows
        self._indent = indent
        self._space = space

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw them, an empty line after the last where there is to be space."""
        column = self._indent + max((len(row.label) for row in self._rows), default=0) + _GAP
        width = max(options.max_width - column, _LEAST)
        for row in self._rows:
            style = console.get_style(row.style) if row.style else Style.null()
            for number, line in enumerate(_broken(row, width)):
                label = row.label if number == 0 else ""
                yield Segment(" " * self._indent)
                yield Segment(label, console.get_style(row.label_style))
                yield Segment(" " * (column - self._indent - len(label)) if line else "")
                yield Segment(line, style)
                yield Segment.line()
        if self._space:
            yield Segment.line()


def _broken(row: Field, width: int) -> list[str]:
    if row.exact:
        return row.text.splitlines() or [""]
    return [part for line in row.text.splitlines() for part in _wrapped(line, width)] or [""]


def _wrapped(line: str, width: int) -> list[str]:
    # A path or a word longer than the line is left whole: a terminal breaks it without putting a blank into it.
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]


def listed(label: str, texts: list[str], style: str = "", *, exact: bool = False) -> Iterator[Field]:
    """Fields of which the first alone has the label."""
    for number, text in enumerate(texts):
        yield Field("" if number else label, text, style, exact)


def heading(*parts: str | tuple[str, str]) -> Text:
    """A line above fields, left whole."""
    return Text.assemble(*parts, no_wrap=True, overflow="ignore")
