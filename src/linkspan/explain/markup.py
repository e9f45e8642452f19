"""HTML and SVG put together from strings, in which only our own tags are tags.

A plain ``str`` is escaped wherever it is put in; ``Markup`` is what ``tag`` made, and goes in as it is.
"""

import html
from collections.abc import Iterable

_VOID = frozenset({"meta", "link", "br", "path", "circle", "rect", "use", "line"})


class Markup(str):
    """Text in which every ``<`` is ours."""

    __slots__ = ()


def text(value: str) -> Markup:
    """The value escaped, for between tags and for within quotes; what is Markup already goes through unchanged."""
    return value if isinstance(value, Markup) else Markup(html.escape(value, quote=True))


def join(parts: Iterable[str], between: str = "") -> Markup:
    """Parts one after the other."""
    return Markup(text(between).join(text(part) for part in parts))


def tag(name: str, /, *children: str, **attributes: str | bool) -> Markup:
    """An element; ``class_`` is the attribute class, ``aria_label`` is aria-label; False and "" are left out."""
    pairs = "".join(_pair(key, value) for key, value in attributes.items() if value not in {False, ""})
    if name in _VOID and not children:
        return Markup(f"<{name}{pairs}/>")
    return Markup(f"<{name}{pairs}>{join(children)}</{name}>")


def _pair(key: str, value: str | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(str(value))}"'
