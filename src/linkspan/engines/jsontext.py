"""JSON, edited in place: what is not asked for keeps its every byte.

An editor that parses and writes anew would take the user's indentation, order and line ends away.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec

from linkspan.engines.model import Key
from linkspan.errors import ConfigError

_BLANK = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SCALAR = re.compile(r"[^\s,\]}]+")


class Node(msgspec.Struct):
    """A value's place in the text; an object's members by key, in order."""

    start: int
    end: int
    members: "dict[str, Member] | None" = None


class Member(msgspec.Struct):
    """A key's place, and its value's."""

    start: int
    value: Node


def parse(text: str, path: str = "") -> dict[str, Any]:
    """The object in the text, an empty one for an empty text; ConfigError with line and column otherwise."""
    if not text.strip(" \t\r\n"):
        return {}  # the daemons take an empty file for an empty object
    try:
        tree = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        _refuse(path, text, error.pos, f"{error.msg[:1].lower()}{error.msg[1:]}")
    except (ValueError, RecursionError) as error:
        cause = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ConfigError(f"{path} is not valid JSON: {cause}", hint="correct it first", subject=path) from None
    if not isinstance(tree, dict):
        _refuse(path, text, 0, f"a{'n array' if isinstance(tree, list) else ' value'} where an object has to be")
    for start, key in _twice(_scan(text), text):
        _refuse(path, text, start, f'"{key}" stands twice in one object')
    return tree


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _refuse(path: str, text: str, position: int, cause: str) -> NoReturn:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    where = f"{path}:{line}:{column}"
    hint = "correct it first; nothing was changed"
    raise ConfigError(f"{where}: not valid JSON: {cause}", hint=hint, subject=where) from None


def _twice(node: Node, text: str) -> Iterator[tuple[int, str]]:
    """The keys whose object has them already: which one counts depends on who reads it."""
    for key, member in (node.members or {}).items():
        if isinstance(key, _Again):
            yield member.start, key
        yield from _twice(member.value, text)


class _Again(str):
    """A key for the second time; it is never equal to the first."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def _scan(text: str) -> Node:
    """The places in a text that is known to be valid."""
    if not text.strip(" \t\r\n"):
        return Node(0, 0, {})
    return _value(text, _skip(text, 0))


def _skip(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _value(text: str, start: int) -> Node:
    if text[start] == "{":
        return _object(text, start)
    if text[start] == "[":
        return Node(start, _array_end(text, start))
    match = (_STRING if text[start] == '"' else _SCALAR).match(text, start)
    return Node(start, match.end() if match else start)


def _array_end(text: str, start: int) -> int:
    position = _skip(text, start + 1)
    while text[position] != "]":
        position = _skip(text, _value(text, position).end)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return position + 1


def _object(text: str, start: int) -> Node:
    members: dict[str, Member] = {}
    position = _skip(text, start + 1)
    while text[position] != "}":
        end = _value(text, position).end
        key = json.loads(text[position:end])
        value = _value(text, _skip(text, _skip(text, end) + 1))
        members[_Again(key) if key in members else key] = Member(position, value)
        position = _skip(text, value.end)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return Node(start, position + 1, members)


def _find(node: Node, path: Key) -> Node | None:
    for part in path:
        member = (node.members or {}).get(part)
        if member is None:
            return None
        node = member.value
    return node


def raw(text: str, path: Key) -> str | None:
    """The text of the value at ``path``."""
    node = _find(_scan(text), path)
    return None if node is None else text[node.start : node.end]


def put_raw(text: str, path: Key, value: str) -> str:
    """The text with another value at a path that is there."""
    node = _find(_scan(text), path)
    return text if node is None else text[: node.start] + value + text[node.end :]


def put(text: str, path: Key, value: Any) -> str:
    """The text with the value set at ``path``, in the manner of what is around it."""
    if not text.strip(" \t\r\n"):
        return _dump(_nested(path, value), "    ", "") + "\n"
    node, depth = _scan(text), 0
    while depth < len(path) and (inner := _find(node, path[depth : depth + 1])):
        node, depth = inner, depth + 1
    if depth == len(path):
        style = _indentation(text, node.start)
        return text[: node.start] + _dump(value, _unit(text), style, _newline(text)) + text[node.end :]
    return _add(text, node, path[depth], _nested(path[depth + 1 :], value))


def _nested(path: Key, value: Any) -> Any:
    for part in reversed(path):
        value = {part: value}
    return value


def _add(text: str, parent: Node, key: str, value: Any) -> str:
    """The text with a member more, after the last one of its object."""
    newline, unit = _newline(text), _unit(text)
    members = list((parent.members or {}).values())
    if not members:
        outer = _indentation(text, parent.start)
        member = _member(key, value, unit, outer + unit, newline)
        return f"{text[: parent.start]}{{{newline}{outer}{unit}{member}{newline}{outer}}}{text[parent.end :]}"
    last = members[-1].value.end
    if "\n" not in text[parent.start : members[0].start]:  # an object on one line stays on it
        return f"{text[:last]}, {_flat(key)}: {_flat(value)}{text[last:]}"
    inner = _indentation(text, members[-1].start)
    return f"{text[:last]},{newline}{inner}{_member(key, value, unit, inner, newline)}{text[last:]}"


def _member(key: str, value: Any, unit: str, inner: str, newline: str) -> str:
    return f"{_flat(key)}: {_dump(value, unit, inner, newline)}"


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _dump(value: Any, unit: str, outer: str, newline: str = "\n") -> str:
    return json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", f"{newline}{outer}")


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indentation(text: str, position: int) -> str:
    """The blanks that the line begins with."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    """What one step of indentation is: that of the first member, if it has a line of its own."""
    root = _scan(text)
    for member in (root.members or {}).values():
        if "\n" in text[root.start : member.start]:
            return _indentation(text, member.start) or "    "
        break
    return "    "


def headers(text: str) -> set[Key]:
    """Nothing: a table of JSON has its braces."""
    del text
    return set()


def cut(text: str, path: Key) -> str:
    """The text without the member at ``path``: the reverse of ``put``."""
    parent = _find(_scan(text), path[:-1])
    members = parent.members if parent and parent.members else {}
    if parent is None or path[-1] not in members:
        return text
    keys = list(members)
    place, member = keys.index(path[-1]), members[path[-1]]
    if len(keys) == 1:
        return f"{text[: parent.start]}{{}}{text[parent.end :]}"
    if place:
        return text[: members[keys[place - 1]].value.end] + text[member.value.end :]
    return text[: member.start] + text[members[keys[1]].start :]
