"""Where the statements of a TOML file stand. The text has to be valid; ``tomllib`` says so beforehand."""

import re
import tomllib
from collections.abc import Iterator
from typing import Literal

import msgspec

from linkspan.engines.model import Key

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_KEY = re.compile(rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*")
_PARTS = re.compile(_PART)
_BLANK = re.compile(r"[ \t]*")
_ALL_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_REST_OF_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:'{0,2})|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''', re.DOTALL
)
_SCALAR = re.compile(r"[^,\]}#\r\n]+")

Kind = Literal["header", "array", "pair", "inline"]


class Statement(msgspec.Struct, frozen=True):
    """A header, a pair, or a pair inside an inline table.

    ``key`` is complete, with the tables it is in; ``table`` is the header it stands below. ``start`` and ``end`` bound
    its lines, those of an inline pair the pair alone; ``value_start`` and ``value_end`` the value.
    """

    kind: Kind
    table: Key
    key: Key
    start: int
    end: int
    value_start: int = 0
    value_end: int = 0


def scan(text: str) -> list[Statement]:
    """All statements of a valid text, in order; a pair comes before those inside its inline table."""
    found: list[Statement] = []
    position, table = 0, ()  # type: tuple[int, Key]
    while position < len(text):
        start = position
        position = _blank(text, position)
        if position >= len(text) or text[position] in "#\r\n":
            position = _line_end(text, position)
            continue
        if text[position] == "[":
            statement = _header(text, start, position)
            table = statement.key
            found.append(statement)
        else:
            pair = _pair(text, start, position, table)
            found += [pair, *_inside(text, pair)]
            statement = pair
        position = statement.end
    return found


def _header(text: str, start: int, position: int) -> Statement:
    kind: Kind = "array" if text.startswith("[[", position) else "header"
    key, _ = _key(text, _blank(text, position + (2 if kind == "array" else 1)))
    return Statement(kind, key, key, start, _line_end(text, position))


def _pair(text: str, start: int, position: int, table: Key) -> Statement:
    key, after = _key(text, position)
    value_start = _blank(text, text.index("=", after) + 1)
    value_end = _value_end(text, value_start)
    return Statement("pair", table, (*table, *key), start, _line_end(text, value_end), value_start, value_end)


def _inside(text: str, outer: Statement) -> Iterator[Statement]:
    """The pairs of an inline table, and of those in it."""
    if text[outer.value_start] != "{":
        return
    position = _all_blank(text, outer.value_start + 1)
    while text[position] != "}":
        key, after = _key(text, position)
        value_start = _blank(text, text.index("=", after) + 1)
        end = _value_end(text, value_start)
        pair = Statement("inline", outer.key, (*outer.key, *key), position, end, value_start, end)
        yield pair
        yield from _inside(text, pair)
        position = _all_blank(text, end)
        if text[position] == ",":
            position = _all_blank(text, position + 1)


def _key(text: str, position: int) -> tuple[Key, int]:
    match = _KEY.match(text, position)
    if match is None:
        raise ValueError(f"no key at {position}")
    return tuple(_plain(part) for part in _PARTS.findall(match[0])), match.end()


def _plain(part: str) -> str:
    return str(tomllib.loads(f"x = {part}")["x"]) if part[0] in "\"'" else part


def _value_end(text: str, start: int) -> int:
    if text[start] in "[{":
        return _bracket_end(text, start)
    if match := _TOKEN.match(text, start):
        return match.end()
    match = _SCALAR.match(text, start)
    return start + len(match[0].rstrip()) if match else start


def _bracket_end(text: str, start: int) -> int:
    depth, position = 0, start
    while True:
        position = _all_blank(text, position)
        if match := _TOKEN.match(text, position):
            position = match.end()
            continue
        depth += (text[position] in "[{") - (text[position] in "]}")
        position += 1
        if not depth:
            return position


def _blank(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _all_blank(text: str, position: int) -> int:
    match = _ALL_BLANK.match(text, position)
    return match.end() if match else position


def _line_end(text: str, position: int) -> int:
    match = _REST_OF_LINE.match(text, position)
    return match.end() if match else position
