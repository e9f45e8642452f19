"""The check of an image at a terminal: findings by how bad they are, what is known, what was switched off."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from linkspan.check.model import Severity
from linkspan.explain import shown
from linkspan.image.amounts import size
from linkspan.image.judged import SEVERITIES, TITLES, Judged, fails
from linkspan.image.registry import Finding
from linkspan.plan.wording import plural

_COLOURS: dict[Severity, str] = {"critical": "bold red", "error": "bold red", "warning": "yellow", "info": "cyan"}
_PATHS = 5
"""Paths of a finding that are shown; --json has them all."""


def lines(judged: Judged, fail_on: Severity) -> Iterator[RenderableType]:
    """The whole check."""
    yield Text(f"image  {shown.line(judged.source)}{_where(judged)}")
    for severity in SEVERITIES:
        yield from _section(TITLES[severity], [one for one in judged.findings if one.severity == severity])
    yield from _section("Known before", judged.known)
    yield from _silenced(judged)
    yield from (Text(f"left out of the image: {shown.line(one)}", style="yellow") for one in judged.refused)
    yield verdict(judged, fail_on)


def _where(judged: Judged) -> str:
    target = judged.target
    parts = (f"driver {target.driver}" if target.driver else "", ", ".join(target.gpus))
    told = ", ".join(shown.line(part) for part in parts if part)
    return f"  for {told}" if told else ""


def _section(title: str, found: Sequence[Finding]) -> Iterator[RenderableType]:
    if found:
        yield Text(f"\n{title}", style="bold")
        yield from map(_finding, found)


def _finding(one: Finding) -> RenderableType:
    head = Text.assemble((one.id, _COLOURS[one.severity]), "  ", (one.title, "bold"))
    return Group(head, Padding(_body(one), (0, 0, 0, 2)))


def _body(one: Finding) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("cause", Text(shown.line(one.cause, shown.VALUE)))
    for label, text in zip(["files", *[""] * _PATHS], _paths(one), strict=False):
        grid.add_row(label, Text(text))
    if one.layer is not None:
        grid.add_row("layer", Text(f"{one.layer}  {shown.line(one.layer_command)}".rstrip()))
    grid.add_row("why", Text(one.why))
    grid.add_row("fix", Text(shown.block(one.fix), style="cyan"))
    if one.bytes:
        grid.add_row("saves", Text(size(one.bytes)))
    return grid


def _paths(one: Finding) -> list[str]:
    more = len(one.paths) - _PATHS
    listed = [shown.line(path) for path in one.paths[:_PATHS]]
    return [*listed, f"and {more} more"] if more > 0 else listed


def _silenced(judged: Judged) -> Iterator[RenderableType]:
    if not judged.silenced:
        return
    yield Text("\nSwitched off by the policy", style="bold")
    for each in judged.silenced:
        until = f"until {each.expires}"
        yield Text(f"{each.finding.id}  {shown.line(each.finding.cause)}", style="dim")
        yield Text(f"  {until}: {shown.line(each.reason)}", style="dim")


def verdict(judged: Judged, fail_on: Severity) -> Text:
    """The answer in one line."""
    bad = [one for one in judged.findings if fails(one, fail_on)]
    known = f"; {plural(len(judged.known), 'finding')} known before" if judged.known else ""
    if bad:
        return Text(f"\n{plural(len(bad), 'finding')} at or above {fail_on}{known}", style="bold red")
    rest = f": {plural(len(judged.findings), 'finding')} below {fail_on}" if judged.findings else ""
    return Text(f"\nclean{rest}{known}", style="bold green")
