"""The words of a Dockerfile: split, unquoted, and their variables expanded as BuildKit's ``shell`` package does.

Variables are looked up in a mapping that the caller has; a variable that is not in it becomes nothing, as it does for
a builder, and is named in ``Expanded.missing``.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from linkspan.errors import FormatError

_LONGEST = 1 << 14
"""Characters of an expanded word: ``ENV A=$A$A`` doubles with each line."""
_DEEPEST = 20
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[@*#0-9?$!-]")


class Expanded(NamedTuple):
    """A text with its variables put in, and the names of those that nobody has set."""

    text: str
    missing: tuple[str, ...] = ()


def split(text: str, escape: str = "\\") -> list[str]:
    """The words of a text as they stand in it, quotes included; a quote without end reaches to the end."""
    words: list[str] = []
    start, quote, at = -1, "", 0
    while at < len(text):
        char = text[at]
        step = 2 if char == escape and quote != "'" else 1
        if not quote and char.isspace():
            if start >= 0:
                words.append(text[start:at])
            start = -1
        else:
            start = at if start < 0 else start
            if step == 1 and char in "'\"" and quote in ("", char):
                quote = "" if quote else char
        at += step
    return [*words, text[start:]] if start >= 0 else words


def unquote(word: str, escape: str = "\\") -> str:
    """A word without its quotes and escape characters."""
    return _Expander({}, escape, expands=False).whole(word)


def expand(text: str, variables: Mapping[str, str], escape: str = "\\") -> Expanded:
    """A word or a text with its variables put in and its quotes taken off.

    ``$A``, ``${A}``, and with a default or alternative ``${A:-b}``, ``${A-b}``, ``${A:+b}``, ``${A+b}``, ``${A:?why}``;
    patterns (``${A#b}`` and the like) are left as they stand. Raises FormatError where a builder would: a brace without
    end, a value that has to be set and is not, or a result beyond all measure.
    """
    expander = _Expander(variables, escape)
    return Expanded(expander.whole(text), tuple(dict.fromkeys(expander.missing)))


class _Expander:
    def __init__(self, variables: Mapping[str, str], escape: str, expands: bool = True) -> None:
        self.variables = variables
        self.escape = escape
        self.expands = expands
        self.missing: list[str] = []

    def whole(self, text: str, depth: int = 0) -> str:
        if depth > _DEEPEST:
            raise FormatError(f"variables are nested more than {_DEEPEST} deep")
        parts, at, size, quote = [], 0, 0, ""
        while at < len(text):
            part, at, quote = self._step(text, at, quote, depth)
            parts.append(part)
            size += len(part)
            if size > _LONGEST:
                raise FormatError(f"a value is longer than {_LONGEST} characters once its variables are put in")
        return "".join(parts)

    def _step(self, text: str, at: int, quote: str, depth: int) -> tuple[str, int, str]:
        """What one character gives, where to go on, and the quote that is open then."""
        char = text[at]
        if char in "'\"" and quote in ("", char):
            return "", at + 1, "" if quote else char
        if char == self.escape and quote != "'" and at + 1 < len(text):
            # Between double quotes the escape character is one only before what would have a meaning.
            keeps = quote == '"' and text[at + 1] not in f'"${self.escape}'
            return text[at : at + 2] if keeps else text[at + 1], at + 2, quote
        if char == "$" and quote != "'" and self.expands:
            part, end = self._variable(text, at + 1, depth)
            return part, end, quote
        return char, at + 1, quote

    def _variable(self, text: str, at: int, depth: int) -> tuple[str, int]:
        braced = text[at : at + 1] == "{"
        found = _NAME.match(text, at + braced)
        if not braced:
            return (self._value(found[0]), found.end()) if found else ("$", at)
        end = _closing(text, at + 1)
        if end < 0 or not found:
            raise FormatError(f"a variable is not closed or has no name: {text[at - 1 : at + 30]!r}")
        return self._braced(found[0], text[found.end() : end], text[at - 1 : end + 1], depth), end + 1

    def _braced(self, name: str, rest: str, raw: str, depth: int) -> str:
        if not rest:
            return self._value(name)
        colon = rest.startswith(":")
        operator, word = rest[colon : colon + 1], rest[colon + 1 :]
        value = self.variables.get(name)
        is_set = bool(value) if colon else value is not None
        if operator == "-":
            return (value or "") if is_set else self.whole(word, depth + 1)
        if operator == "+":
            return self.whole(word, depth + 1) if is_set else ""
        if operator == "?":
            if not is_set:
                raise FormatError(f"the variable {name} has to be set, and is not: {word[:80]}")
            return value or ""
        return raw

    def _value(self, name: str) -> str:
        if name not in self.variables:
            self.missing.append(name)
        return self.variables.get(name, "")


def _closing(text: str, at: int) -> int:
    """Where the brace that is open closes, -1 for nowhere."""
    depth = 1
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text.startswith("${", at):
            depth, at = depth + 1, at + 1
        elif text[at] == "}":
            depth -= 1
            if not depth:
                return at
        at += 1
    return -1
