"""The check of an image at a terminal: findings by how bad they are, what is known, what was switched off."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.text import Text

from linkspan.check.model import Severity
from linkspan.cli import image_words as words
from linkspan.cli.fields import Field, Fields, heading, listed
from linkspan.explain import shown
from linkspan.image.amounts import size
from linkspan.image.judged import SEVERITIES, TITLES, Judged, fails
from linkspan.image.registry import Finding
from linkspan.plan.wording import plural

_COLOURS: dict[Severity, str] = {"critical": "bold red", "error": "bold red", "warning": "yellow", "info": "cyan"}
_PATHS = 5
"""Paths of a finding that are shown; --json has them all."""
_OF_A_RULE = 6
"""Findings of one rule that are shown."""


def lines(judged: Judged, fail_on: Severity) -> Iterator[RenderableType]:
    """The whole check."""
    yield heading(f"{'file' if judged.is_dockerfile else 'image'}  {shown.line(judged.source)}{_where(judged)}")
    if holds := words.holds(judged.parts):
        yield heading(f"holds  {shown.line(holds, shown.VALUE)}")
    if judged.runs:
        sign = {"not": "bold red", "unknown": "yellow"}.get(judged.runs.way, "green")
        yield heading("runs   ", (shown.line(words.runs(judged.runs), shown.VALUE), sign))
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
        for _, group in groupby(found, key=lambda one: one.id):
            yield _group(list(group))


def _group(found: Sequence[Finding]) -> RenderableType:
    """The findings of one rule: what they have in common is said once."""
    first, more = found[0], len(found) - _OF_A_RULE
    head = heading((first.id, _COLOURS[first.severity]), "  ", (first.title, "bold"))
    rows = [row for one in found[:_OF_A_RULE] for row in _body(one)]
    if more > 0:
        rows.append(Field("", f"and {plural(more, 'more finding')} of this rule", "dim"))
    return Group(head, Fields([*rows, Field("why", first.why)]))


def _body(one: Finding) -> Iterator[Field]:
    yield Field("cause", shown.line(one.cause, shown.VALUE))
    if one.line:
        yield Field("line", f"{shown.line(one.file)}:{one.line}", exact=True)
    yield from listed("files", _paths(one), exact=True)
    if one.layer is not None:
        yield Field("layer", f"{one.layer}  {shown.line(one.layer_command)}".rstrip(), exact=True)
    yield Field("fix", shown.block(one.fix), "cyan", exact=True)
    if one.bytes:
        yield Field("saves", size(one.bytes))


def _paths(one: Finding) -> list[str]:
    more = len(one.paths) - _PATHS
    named = [shown.line(path) for path in one.paths[:_PATHS]]
    return [*named, f"and {more} more"] if more > 0 else named


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
    return Text(f"\n{words.clean(judged)}{rest}{known}", style="bold yellow" if judged.refused else "bold green")
