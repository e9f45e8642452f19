"""The signatures of the catalogue, made ready to be looked for in much text at once. Pure.

A regular expression is tried only where its *anchor* stands, a piece of plain text without which it cannot match: that
piece is found by a search for bytes, which takes milliseconds for megabytes, whatever the text holds.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from linkspan.check.catalogue import all_modes

_ESCAPED_LITERALS = frozenset(r".()[]{}+*?|^$\/-")
_QUANTIFIERS = frozenset("?*+{")

_REACH = 2000
"""How many bytes on each side of an anchor are looked at, within its line."""

_TRIES = 150
"""How many places of an anchor are tried, from each end of a text."""


class Signature(NamedTuple):
    """A signature of a failure mode: what it looks for, the plain text to look for first, and how specific it is.

    ``weight`` is the number of its characters that stand for themselves, ``order`` its place in the catalogue.
    """

    id: str
    pattern: re.Pattern[str]
    anchor: bytes
    weight: int
    order: int


class Hit(NamedTuple):
    """A place that a signature fits: the words, their line (or as much of it as was looked at), and what follows."""

    signature: Signature
    matched: str
    line: str
    rest: str


@cache
def all_signatures() -> tuple[Signature, ...]:
    """Every signature, in the order of the catalogue."""
    texts = [(mode.id, text) for mode in all_modes().values() for text in mode.signatures]
    return tuple(_ready(mode_id, text, order) for order, (mode_id, text) in enumerate(texts))


def _ready(mode_id: str, text: str, order: int) -> Signature:
    runs = plain_runs(text)
    anchor = max(runs, key=len).lower().encode()
    return Signature(mode_id, re.compile(text, re.IGNORECASE), anchor, sum(map(len, runs)), order)


def hits(text: str) -> Iterator[Hit]:
    """Every place that a signature fits, each line once for each signature."""
    data = text.encode("utf-8", "replace")
    lowered = data.lower()  # of bytes: only ASCII changes, so that every place stays where it is
    for signature in all_signatures():
        tried: set[bytes] = set()
        for start, end in _places(lowered, signature.anchor):
            window = data[start:end]
            if window in tried:
                continue
            tried.add(window)
            line = window.decode("utf-8", "replace")
            if found := signature.pattern.search(line):
                yield Hit(signature, found[0], line, line[found.end() :])


def _places(data: bytes, anchor: bytes) -> Iterator[tuple[int, int]]:
    """Windows around the first and the last places of an anchor, each within one line."""
    position, done = data.find(anchor), 0
    for _ in range(_TRIES):
        if position < 0:
            return
        start, end = _window(data, position)
        yield start, end
        done = max(end, position + len(anchor))
        position = data.find(anchor, done)
    position = data.rfind(anchor, done)
    for _ in range(_TRIES):
        if position < 0:
            return
        start, end = _window(data, position)
        yield start, end
        position = data.rfind(anchor, done, max(done, min(start, position)))


def _window(data: bytes, position: int) -> tuple[int, int]:
    first, last = max(0, position - _REACH), min(len(data), position + _REACH)
    start = data.rfind(b"\n", first, position) + 1 or first
    end = data.find(b"\n", position, last)
    return start, end if end >= 0 else last


def plain_runs(pattern: str) -> list[str]:
    """The pieces of text that every match of a pattern contains: outside of groups, classes and repetitions."""
    runs: list[str] = []
    run, depth, position = "", 0, 0
    while position < len(pattern):
        length, literal = _atom(pattern, position)
        char = pattern[position]
        depth += (char == "(") - (char == ")" and depth > 0)
        after = pattern[position + length : position + length + 1]
        if literal and not depth and after not in _QUANTIFIERS:
            run += literal
        elif not (literal and depth):
            runs, run = [*runs, run], ""
        position += length
    return [piece for piece in (*runs, run) if piece]


def _atom(pattern: str, position: int) -> tuple[int, str]:
    """The length of what stands at a position of a pattern, and the character that it is if it stands for itself."""
    char = pattern[position]
    if char == "\\":
        escaped = pattern[position + 1]
        return 2, escaped if escaped in _ESCAPED_LITERALS else ""
    if char == "[":
        closing = pattern.index("]", position + 2)
        return closing + 1 - position, ""
    if char == "{":
        return pattern.index("}", position) + 1 - position, ""
    return 1, "" if char in "().^$|?*+" else char
