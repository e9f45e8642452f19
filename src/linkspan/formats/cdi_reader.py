"""CDI specs read from text, YAML or JSON, with the line of every value, so that a problem can be pointed at.

The CDI library reads ``.yaml`` and ``.json`` files alike with a YAML parser into typed fields: there ``name: 0`` is the
text "0", and ``fileMode: 0666`` is octal. So here a plain scalar is a number only in the few fields that hold one.

A text may come from anyone: nesting, the number of values and what aliases expand to are limited.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from linkspan.errors import FormatError
from linkspan.formats.cdi_rules import Address, Problem, problems

DEPTH_LIMIT = 32
VALUE_LIMIT = 300_000

_NUMBERS = frozenset({"major", "minor", "fileMode", "uid", "gid", "timeout", "additionalGids"})
_FLAGS = frozenset({"enableMonitoring", "enableCMT", "enableMBM"})
_INTEGER = re.compile(r"[-+]?(?:0x[0-9a-fA-F]{1,16}|0o?[0-7]{1,22}|0b[01]{1,64}|[0-9]{1,19})")
_JSON_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s{}\[\]:,"]+')


class Reading(NamedTuple):
    """A spec as read: the document (None where the text is no YAML or JSON) and all its problems, with their lines."""

    document: Any
    problems: list[Problem]


def read(data: bytes) -> Reading:
    """Read and check a spec. Never raises: whatever is wrong with the text or with the spec is among the problems."""
    try:
        text = data.decode("utf-8-sig")
        builder = (_from_json(text) if text.lstrip().startswith("{") else None) or _from_yaml(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Reading(None, [Problem((), "is not UTF-8 text", line)])
    except FormatError as error:
        return Reading(None, [Problem((), error.message, int(error.subject or 0))])
    found = builder.problems + [
        problem._replace(line=builder.line(problem.where)) for problem in problems(builder.root)
    ]
    return Reading(builder.root, sorted(found, key=lambda problem: problem.line))


class _Frame:
    """A mapping or list that is still open."""

    def __init__(self, container: dict[str, Any] | list[Any], where: Address, field: str, values_before: int) -> None:
        self.container = container
        self.where = where
        self.field = field
        self.values_before = values_before
        self.key: str | None = None
        self.anchor: str | None = None


class _Builder:
    """Puts a document together from its parts in the order of the text, without recursion."""

    def __init__(self) -> None:
        self.root: Any = None
        self.problems: list[Problem] = []
        self._lines: dict[Address, int] = {(): 1}
        self._open: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0

    def line(self, where: Address) -> int:
        """The line of a value, or of the nearest value around it."""
        while where not in self._lines:
            where = where[:-1]
        return self._lines[where]

    @property
    def field(self) -> str:
        """The name of the field that the next value belongs to, by itself or in a list; empty for a field's name."""
        if not self._open:
            return ""
        frame = self._open[-1]
        return frame.field if isinstance(frame.container, list) else frame.key or ""

    def scalar(self, value: Any, line: int, anchor: str | None = None) -> None:
        frame = self._open[-1] if self._open else None
        if frame and isinstance(frame.container, dict) and frame.key is None:
            self._start_field(frame, value, line)
        else:
            self._place(value, line)
        if anchor:
            self._anchors[anchor] = (value, 1)

    def open(self, container: dict[str, Any] | list[Any], line: int, anchor: str | None = None) -> None:
        if len(self._open) >= DEPTH_LIMIT:
            raise FormatError(f"is nested more than {DEPTH_LIMIT} levels deep", subject=str(line))
        field, before = self.field, self._values
        frame = _Frame(container, self._place(container, line), field, before)
        frame.anchor = anchor
        self._open.append(frame)

    def close(self) -> None:
        frame = self._open.pop()
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.container, self._values - frame.values_before)

    def alias(self, name: str, line: int) -> None:
        if name not in self._anchors:
            raise FormatError(f"refers to *{name} before it is complete", subject=str(line))
        value, size = self._anchors[name]
        self._count(size, line)
        self._place(value, line)

    def _start_field(self, frame: _Frame, key: Any, line: int) -> None:
        frame.key = str(key)
        where = (*frame.where, frame.key)
        if frame.key in frame.container:
            self.problems.append(Problem(where, f"is there twice, first in line {self.line(where)}", line))
        self._lines[where] = line

    def _place(self, value: Any, line: int) -> Address:
        self._count(1, line)
        if not self._open:
            self.root = value
            self._lines[()] = line
            return ()
        frame = self._open[-1]
        if isinstance(frame.container, list):
            where: Address = (*frame.where, len(frame.container))
            frame.container.append(value)
            self._lines[where] = line
            return where
        if frame.key is None:
            raise FormatError("has a mapping or list in place of a field's name", subject=str(line))
        where = (*frame.where, frame.key)
        frame.container[frame.key], frame.key = value, None
        return where

    def _count(self, values: int, line: int) -> None:
        self._values += values
        if self._values > VALUE_LIMIT:
            raise FormatError(f"holds more than {VALUE_LIMIT} values", subject=str(line))


def _from_json(text: str) -> _Builder | None:
    """None where the text is not JSON: it may still be YAML."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    starts = [match.end() for match in re.finditer("\n", text)]
    builder = _Builder()
    for match in _JSON_WORD.finditer(text):
        line = bisect_right(starts, match.start()) + 1
        word = match[0]
        if word in "{[":
            builder.open({} if word == "{" else [], line)
        elif word in "}]":
            builder.close()
        else:
            builder.scalar(json.loads(word), line)
    return builder


def _from_yaml(text: str) -> _Builder:
    builder = _Builder()
    documents = 0
    for event in _yaml_events(text):
        line, kind = event.start_mark.line + 1, type(event).__name__
        if kind == "DocumentStartEvent":
            documents += 1
            if documents > 1:
                builder.problems.append(Problem((), "is followed by a second document, which engines ignore", line))
                break
        elif kind == "ScalarEvent":
            builder.scalar(_scalar(event.value, event.implicit[0], builder.field), line, event.anchor)
        elif kind == "MappingStartEvent":
            builder.open({}, line, event.anchor)
        elif kind == "SequenceStartEvent":
            builder.open([], line, event.anchor)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            builder.close()
        elif kind == "AliasEvent":
            builder.alias(event.anchor, line)
    return builder


def _yaml_events(text: str) -> Iterator[Any]:
    # Only a spec in YAML pays for the parser; JSON, and every container start served from what is saved, does not.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FormatError(
            f"is not YAML: {error.problem or error.context}", subject=str(mark.line + 1 if mark else 1)
        ) from error
    except YAMLError as error:
        raise FormatError(f"is not YAML: {' '.join(str(error).split())}", subject="1") from error


def _scalar(text: str, plain: bool, field: str) -> Any:
    """The value of a YAML scalar: other than text only where it stands plain and the field takes that."""
    if not plain:
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if field in _NUMBERS and _INTEGER.fullmatch(text):
        return _integer(text)
    if field in _FLAGS and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _integer(text: str) -> int:
    """A number as YAML 1.1 writes it: a leading zero means octal."""
    digits = text.lstrip("+-")
    octal = digits.startswith("0") and digits[1:].isdecimal()
    value = int(digits, 8) if octal and not set(digits) & set("89") else int(digits, 10 if digits.isdecimal() else 0)
    return -value if text.startswith("-") else value
