"""What every page of ours is made of: marks, commands, evidence."""

from collections.abc import Iterable

from linkspan.check.model import Evidence, Remedy
from linkspan.explain import shown
from linkspan.explain.markup import Markup, join, tag


def said(text: str, limit: int = shown.VALUE) -> Markup:
    """A text of others within a sentence of ours: its reading direction stays its own."""
    return tag("bdi", shown.line(text, limit))


def path(text: str) -> Markup:
    """A path, which may be broken after each slash."""
    parts = shown.line(text, 1000).split("/")
    return tag("bdi", join(parts, Markup("/<wbr>")))


def css(state: str) -> str:
    """A state as the name of a class and of a mark."""
    return state.replace(" ", "-")


def icon(state: str) -> Markup:
    """The mark of a state; the state is said beside it, so that it is hidden from readers of the screen."""
    return tag("svg", tag("use", href=f"#mark-{css(state)}"), class_="icon", aria_hidden="true")


def mark(state: str, words: str = "") -> Markup:
    """A state: its mark, and in words."""
    return tag("span", icon(state), words or state, class_=f"mark {css(state)}")


def commands(remedy: Remedy) -> Markup:
    """The commands of a remedy, each with a button that copies it; the button appears where scripts run."""
    items = [_command(command) for command in remedy.commands]
    return tag("ol", *items, class_="commands") if items else Markup("")


def _command(command: str) -> Markup:
    text = shown.block(command, 20_000)
    label = f"Copy the command {shown.line(command, 120)}"
    button = tag("button", "Copy", type="button", class_="copy", hidden=True, aria_label=label)
    return tag("li", tag("pre", tag("code", text)), button, class_="command")


def evidence(items: Iterable[Evidence]) -> Markup:
    """What was read: where, which field of it, and the value that stood there."""
    return tag("dl", *(_read(item) for item in items))


def _read(item: Evidence) -> Markup:
    where = join((said(item.subject), *((", ", said(item.field)) if item.field else ())))
    value = tag("dd", tag("bdi", shown.block(item.value))) if item.value else tag("dd", "nothing")
    return tag("div", tag("dt", where), value, class_="read")
