"""Settings made in a text, and undone. Every result is read back, and is what was asked for or is refused."""

import copy
from types import ModuleType
from typing import Any

import msgspec

from linkspan.engines.model import MISSING, Change, Key, Setting, Tree, get
from linkspan.errors import ConfigError

BOM = "\ufeff"


def apply(syntax: ModuleType, text: str, settings: list[Setting], path: str) -> tuple[str, tuple[Change, ...]]:
    """The text with these settings made, and what changed; what is already as asked for stays as it is."""
    mark, body = _split(text)
    tree = syntax.parse(body, path)
    changes: list[Change] = []
    for setting in settings:
        if get(tree, setting.path) == setting.value:
            continue
        change = _change(syntax, body, tree, setting)
        before, body = syntax.headers(body), syntax.put(body, setting.path, setting.value)
        above = {key for key in syntax.headers(body) - before if len(key) < len(setting.path)}
        changes.append(msgspec.structs.replace(change, headers=tuple(sorted(above))))
        tree = _with(tree, setting)
        _insist(syntax, body, tree, path)
    return mark + body, tuple(changes)


def undo(syntax: ModuleType, text: str, changes: tuple[Change, ...], path: str) -> str:
    """The text without what these changes brought, where it still is what they brought."""
    mark, body = _split(text)
    for change in reversed(changes):
        tree = syntax.parse(body, path)
        if is_there(tree, change):
            body = _take_back(syntax, body, change)
    syntax.parse(body, path)
    return mark + body


def is_there(tree: Tree, change: Change) -> bool:
    """Whether a change still stands; of an entry, whether it is still ours."""
    now = get(tree, change.path)
    return bool(get(now, change.mark) == get(change.new, change.mark)) if now is not MISSING else False


def _split(text: str) -> tuple[str, str]:
    """A byte order mark, which editors of other systems leave, and the rest."""
    return (BOM, text[1:]) if text.startswith(BOM) else ("", text)


def _change(syntax: ModuleType, text: str, tree: Tree, setting: Setting) -> Change:
    above = [setting.path[:length] for length in range(1, len(setting.path))]
    return Change(
        path=setting.path,
        new=setting.value,
        old=syntax.raw(text, setting.path),
        mark=setting.mark,
        made=tuple(key for key in above if get(tree, key) is MISSING),
    )


def _take_back(syntax: ModuleType, text: str, change: Change) -> str:
    if change.old is not None:
        return str(syntax.put_raw(text, change.path, change.old))
    text = str(syntax.cut(text, change.path))
    for key in change.headers:
        text = syntax.cut_header(text, key)
    for key in reversed(change.made):
        if get(syntax.parse(text), key) == {}:
            text = syntax.cut(text, key)
    return text


def _with(tree: Tree, setting: Setting) -> dict[str, Any]:
    made = copy.deepcopy(dict(tree))
    _set(made, setting.path, setting.value)
    return made


def _set(tree: Any, path: Key, value: Any) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _insist(syntax: ModuleType, text: str, tree: Tree, path: str) -> None:
    """A layout that the editor does not know must not cost the user anything."""
    try:
        if same(syntax.parse(text, path), tree):
            return
    except ConfigError:
        pass
    raise ConfigError(
        f"{path} is written in a way that linkspan cannot edit without loss; nothing was changed",
        hint="make the edit by hand; 'linkspan engine status' tells whether it took",
        subject=path,
    )


def same(one: Any, other: Any) -> bool:
    """Equality that takes no number for a truth value, and a NaN for itself."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and (one == other or one != one)  # noqa: PLR0124  # NaN alone differs from itself
