"""Plain data as TOML, laid out as the toolkit writes its ``config.toml`` (contract 1.3).

Keys sorted, then tables sorted, each with its full name and a blank line before it, nothing indented; a default that
is only shown stands as ``#key = value`` in its place among the keys.
"""

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Key = tuple[str, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def render(data: Mapping[str, Any], shown: Mapping[Key, object]) -> str:
    """The text of a file; ``shown`` are the values to show, commented out, where the data has none."""
    return "\n".join(_table(data, (), shown)) + "\n"


def _table(table: Mapping[str, Any], path: Key, shown: Mapping[Key, object]) -> Iterator[str]:
    if path:
        yield f"[{'.'.join(map(_key, path))}]"
    yield from _values(table, path, shown)
    for name, value in sorted(table.items()):
        if isinstance(value, dict):
            yield ""
            yield from _table(value, (*path, name), shown)
        elif _is_list_of_tables(value):
            yield from _list_of_tables(value, (*path, name))


def _values(table: Mapping[str, Any], path: Key, shown: Mapping[Key, object]) -> Iterator[str]:
    lines = {name: f"{_key(name)} = {value_text(value)}" for name, value in table.items() if not _is_below(value)}
    for key, value in shown.items():
        if key[:-1] == path and key[-1] not in table:
            lines[key[-1]] = f"#{_key(key[-1])} = {value_text(value)}"
    yield from (lines[name] for name in sorted(lines))


def _list_of_tables(tables: list[dict[str, Any]], path: Key) -> Iterator[str]:
    for table in tables:
        yield ""
        _, *lines = _table(table, path, {})
        yield f"[[{'.'.join(map(_key, path))}]]"
        yield from lines


def _is_below(value: object) -> bool:
    """True for what stands in a section of its own."""
    return isinstance(value, dict) or _is_list_of_tables(value)


def _is_list_of_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else value_text(name)


def value_text(value: object) -> str:
    """One value as TOML."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(name)} = {value_text(item)}' for name, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, bool | str):
        # JSON's spelling of these is TOML's, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)  # Python spells numbers as TOML does, inf and nan included
