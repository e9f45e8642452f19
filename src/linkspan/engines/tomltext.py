"""TOML, edited in place: what is not asked for keeps its every byte, comments and line ends too.

A library that keeps comments still has to rebuild the tables around an edit; here an edit is a piece of text put in or
taken out, and what results is checked by whoever asked for it.
"""

import itertools
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from linkspan.engines.model import Key
from linkspan.engines.tomlscan import Statement, scan
from linkspan.errors import ConfigError

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BLANK_LINE_BEFORE = re.compile(r"(?:\A|(?<=\n))[ \t]*\r?\n\Z")


def parse(text: str, path: str = "") -> dict[str, Any]:
    """The tables in the text; ConfigError with line and column where it breaks TOML's rules."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{path}: not valid TOML: nested too deeply", subject=path) from None
    except tomllib.TOMLDecodeError as error:
        cause, _, place = str(error).rpartition(" (at ")
        numbers = re.findall(r"\d+", place) or [str(text.count("\n") + 1), "1"]
        where = f"{path}:{':'.join(numbers)}"
        message = f"{where}: not valid TOML: {cause[:1].lower()}{cause[1:]}"
        raise ConfigError(message, hint="correct it first; nothing was changed", subject=where) from None


def raw(text: str, path: Key) -> str | None:
    """The text of the value at ``path``; None where there is none, and for a table with a header of its own."""
    pair = _pair(scan(text), path)
    return None if pair is None else text[pair.value_start : pair.value_end]


def put_raw(text: str, path: Key, value: str) -> str:
    """The text with another value at a path that is there."""
    pair = _pair(scan(text), path)
    return text if pair is None else text[: pair.value_start] + value + text[pair.value_end :]


def put(text: str, path: Key, value: Any) -> str:
    """The text with the value set at ``path``, in the manner of what is around it. A mapping becomes a table."""
    statements = scan(text)
    if _pair(statements, path):
        return put_raw(text, path, dump(value))
    _refuse_arrays(statements, path)
    if holder := _holder(text, statements, path):
        return _into_inline(text, holder, path, value)
    if isinstance(value, Mapping):
        return _add_tables(text, statements, path, value)
    return _add_pair(text, statements, path, value)


def cut(text: str, path: Key) -> str:
    """The text without the value or table at ``path`` and all below it: the reverse of ``put``."""
    gone = [statement for statement in scan(text) if statement.key[: len(path)] == path]
    outer = [item for item in gone if not any(other.value_start <= item.start < other.value_end for other in gone)]
    for statement in reversed(outer):
        if statement.kind == "inline":
            text = _out_of_inline(text, statement)
        elif statement.kind == "pair":
            text = text[: statement.start] + text[statement.end :]
        else:
            text = _without_header(text, statement)
    return text


def headers(text: str) -> set[Key]:
    """The tables that have a header; others are there by what stands below them."""
    return {statement.key for statement in scan(text) if statement.kind == "header"}


def cut_header(text: str, table: Key) -> str:
    """The text without a table's header, if nothing stands directly below it."""
    statements = scan(text)
    if not any(item.kind == "pair" and item.table == table for item in statements):
        for item in statements:
            if item.kind == "header" and item.key == table:
                return _without_header(text, item)
    return text


def dump(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key((key,))} = {dump(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return f"[{', '.join(dump(item) for item in value)}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", escaped) + '"'


def _key(path: Key) -> str:
    return ".".join(part if _BARE.fullmatch(part) else _quoted(part) for part in path)


def _pair(statements: list[Statement], path: Key) -> Statement | None:
    """The pair that sets ``path`` itself; the last one, should an array of tables have several."""
    pairs = [item for item in statements if item.key == path and item.kind in ("pair", "inline")]
    return pairs[-1] if pairs else None


def _refuse_arrays(statements: list[Statement], path: Key) -> None:
    for item in statements:
        if item.kind == "array" and item.key == path[: len(item.key)]:
            raise ConfigError(f"[[{_key(item.key)}]] is an array of tables, where a table has to be")


def _holder(text: str, statements: list[Statement], path: Key) -> Statement | None:
    """The innermost pair above ``path``: an inline table, which is complete between its braces."""
    pairs = [item for item in statements if item.kind in ("pair", "inline") and item.key == path[: len(item.key)]]
    if not pairs:
        return None
    if text[pairs[-1].value_start] != "{":
        raise ConfigError(f"{_key(pairs[-1].key)} is a value, where a table has to be")
    return pairs[-1]


def _into_inline(text: str, holder: Statement, path: Key, value: Any) -> str:
    last = text[: holder.value_end - 1].rstrip()
    pair = f"{_key(path[len(holder.key) :])} = {dump(value)}"
    if last.endswith("{"):
        return f"{last} {pair} {text[holder.value_end - 1 :]}"
    return f"{last}, {pair}{text[len(last) :]}"


def _out_of_inline(text: str, pair: Statement) -> str:
    before, after = text[: pair.start].rstrip(), text[pair.end :]
    if before.endswith(","):
        return before[:-1] + after
    rest = after.lstrip()
    if rest.startswith(","):
        return text[: pair.start] + rest[1:].lstrip()
    return before + rest  # it was the only one


def _without_header(text: str, header: Statement) -> str:
    """The text without a header's line and the one blank line that ``_add_tables`` puts before it."""
    before = text[: header.start]
    if blank := _BLANK_LINE_BEFORE.search(before):
        before = before[: blank.start()]
    return before + text[header.end :]


def _add_pair(text: str, statements: list[Statement], path: Key, value: Any) -> str:
    table = path[:-1]
    home = _dotted(statements, table) or _last_of(statements, table)
    if home is None and table:
        return _add_tables(text, statements, table, {path[-1]: value})
    newline = "\r\n" if "\r\n" in text else "\n"
    if home is None:
        return f"{_key(path)} = {dump(value)}{newline}{text}"
    line = f"{_pair_indentation(text, statements, home)}{_key(path[len(home.table) :])} = {dump(value)}"
    return _insert_lines(text, home.end, line, newline)


def _dotted(statements: list[Statement], table: Key) -> Statement | None:
    """The last pair whose dotted key made this table: it may have no header then."""
    pairs = [
        item
        for item in statements
        if item.kind == "pair" and len(item.table) < len(table) < len(item.key) and item.key[: len(table)] == table
    ]
    return pairs[-1] if pairs else None


def _last_of(statements: list[Statement], table: Key) -> Statement | None:
    """The last statement directly below a table's header, or the header."""
    found = [item for item in statements if item.kind in ("header", "pair") and item.table == table]
    return found[-1] if found else None


def _pair_indentation(text: str, statements: list[Statement], home: Statement) -> str:
    """That of the pair before; below a bare header, the header's and what the file's other pairs have more."""
    own = _indentation(text, home)
    if home.kind == "pair":
        return own
    return own + _step(text, statements)


def _step(text: str, statements: list[Statement]) -> str:
    """How much farther in a pair stands than its header, in this file."""
    for header, pair in itertools.pairwise(statements):
        if header.kind == "header" and pair.kind == "pair":
            return _indentation(text, pair).removeprefix(_indentation(text, header))
    return ""


def _indentation(text: str, statement: Statement) -> str:
    line = text[statement.start : statement.end]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _insert_lines(text: str, position: int, lines: str, newline: str) -> str:
    """Whole lines put in at the start of a line; a last line without an end gets one, and stays the only such one."""
    if position and text[position - 1] != "\n":
        return f"{text[:position]}{newline}{lines}{text[position:]}"
    return f"{text[:position]}{lines}{newline}{text[position:]}"


def _add_tables(text: str, statements: list[Statement], path: Key, value: Mapping[str, Any]) -> str:
    """A table with its tables, after the last of its siblings, a blank line before each header."""
    siblings = [item for item in statements if item.key[: len(path) - 1] == path[:-1] and item.kind != "inline"]
    last = siblings[-1] if siblings and len(path) > 1 else None
    newline = "\r\n" if "\r\n" in text else "\n"
    beside = [item for item in siblings if item.kind == "header" and len(item.key) == len(path)]
    inner = _indentation(text, beside[-1]) if beside else ""
    deeper = [item for item in statements if item.kind == "header" and beside and item.key[:-1] == beside[-1].key]
    step = _indentation(text, deeper[-1]).removeprefix(inner) if deeper else ""
    lines = [line for block in _blocks(path, value, inner, step, _step(text, statements)) for line in ("", *block)]
    end = _section_end(statements, last) if last else len(text)
    if not text[:end].strip():
        return newline.join(lines[1:]) + newline + text[end:]
    return _insert_lines(text, end, newline.join(lines), newline)


def _section_end(statements: list[Statement], last: Statement) -> int:
    """Where the next header may stand: pairs that follow would be taken for its own."""
    for item in statements[statements.index(last) + 1 :]:
        if item.kind in ("header", "array"):
            break
        last = item if item.kind == "pair" else last
    return last.end


def _blocks(path: Key, value: Mapping[str, Any], outer: str, deeper: str, step: str) -> list[list[str]]:
    """The headers of a table and of those in it, each with its pairs."""
    pairs = {key: item for key, item in value.items() if not isinstance(item, Mapping)}
    own = [f"{outer}[{_key(path)}]", *(f"{outer}{step}{_key((key,))} = {dump(item)}" for key, item in pairs.items())]
    inner = [
        block
        for key, item in value.items()
        if isinstance(item, Mapping)
        for block in _blocks((*path, key), item, outer + deeper, deeper, step)
    ]
    return [own, *inner]
