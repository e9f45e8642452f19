r"""Text of strangers, made fit to be shown: names and file contents come from images that nobody vouches for.

A name may hold an escape sequence that rewrites the terminal, a mark that turns the reading direction of all that
follows, a half of a surrogate pair that no file can hold, or ten thousand letters. What cannot be seen is written as
Python would write it (``\u202e``), so that two names that differ also look different.
"""

import re

NAME, VALUE = 240, 2000
"""Characters that are shown of a name or path, and of a value that was read."""

_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, those of terminals among them
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"  # directions, joiners, fillers, variants, no characters at all
    "\ud800-\udfff"  # halves of pairs: bytes that were no text
    "\U000e0000-\U000e0fff"
    "]"
)
_BREAKS = re.compile("[\t\n]")


def line(text: str, limit: int = NAME) -> str:
    """The text on one line, at most about ``limit`` characters of it."""
    return _cut(_BREAKS.sub(_written, _UNSEEN.sub(_written, text[: limit + 1])), limit, len(text))


def block(text: str, limit: int = VALUE) -> str:
    """The text with its line breaks, at most about ``limit`` characters of it."""
    return _cut(_UNSEEN.sub(_written, text[: limit + 1]), limit, len(text))


def _written(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _cut(text: str, limit: int, length: int) -> str:
    return text if length <= limit else f"{text[:limit]}… ({length - limit} more characters)"
