"""Texts broken into lines of so many columns, for pictures that break none by themselves: SVG and the terminal."""

import unicodedata
from collections.abc import Iterable, Iterator


def columns(text: str) -> int:
    """How many letters wide a text is; those of East Asia count two."""
    return sum(
        2 if unicodedata.east_asian_width(letter) in "WF" else not unicodedata.combining(letter) for letter in text
    )


def wrap(text: str, width: int, limit: int) -> list[str]:
    """The text in at most ``limit`` lines of ``width`` columns; where it is cut, the last one ends in "…"."""
    lines = list(_lines(text.split(), max(width, 4)))
    if len(lines) <= limit:
        return lines
    return [*lines[: limit - 1], _clip(lines[limit - 1], max(width, 4) - 1) + "…"]


def _lines(words: Iterable[str], width: int) -> Iterator[str]:
    line = ""
    for word in words:
        rest = word
        if line and columns(line) + 1 + columns(rest) > width:
            yield line
            line = ""
        while columns(rest) > width:
            piece = _clip(rest, width)
            yield piece
            rest = rest[len(piece) :]
        line = f"{line} {rest}" if line else rest
    if line:
        yield line


def _clip(text: str, width: int) -> str:
    """The longest beginning that fits; a break after a slash is taken where it costs little."""
    end = len(text)
    while columns(text[:end]) > width:
        end -= 1
    slash = text.rfind("/", 0, end) + 1
    return text[:slash] if end < len(text) and slash > end * 2 // 3 else text[: max(end, 1)]
