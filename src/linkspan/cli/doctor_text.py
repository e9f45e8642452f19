"""The doctor's words at a terminal: the chain, then what to mend first, then all else."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from linkspan.check import verdict
from linkspan.check.model import LINKS, Evidence, Finding, Report
from linkspan.cli.fields import Field, Fields, heading, listed
from linkspan.plan.wording import plural

if TYPE_CHECKING:
    from linkspan.check.active import Trial

_COLOURS = {"critical": "bold red", "error": "bold red", "warning": "yellow", "info": "cyan"}


def lines(report: Report, *, verbose: bool) -> Iterator[RenderableType]:
    """The whole report."""
    yield _chain(report)
    yield from _section("Mend this first", verdict.first(report), full=True)
    yield from _section("This may be mended with it", verdict.following(report), full=verbose)
    yield from _section("Will break at the next reload, update or reboot", verdict.later(report), full=True)
    yield from _section("Insecure", verdict.insecure(report), full=True)
    yield from _section("Worth knowing", verdict.odd(report), full=verbose)
    yield from (Text(f"no answer from {one.id}: {one.reason}", style="yellow") for one in report.unanswered)
    yield _verdict(report)


def _chain(report: Report) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    broken = {one.link: one for one in reversed(report.findings) if verdict.breaks(one)}
    beyond = verdict.not_reached(report)
    for link, title in LINKS.items():
        if link in broken and link not in beyond:
            grid.add_row(Text("✗", style="bold red"), Text(title, style="bold"), Text(broken[link].cause))
        elif link in beyond:
            grid.add_row(Text("·", style="dim"), Text(title, style="dim"), Text("not reached", style="dim"))
        elif link in report.held:
            grid.add_row(Text("✓", style="green"), Text(title), Text(report.held[link], style="dim"))
    return grid


def _section(title: str, found: Sequence[Finding], *, full: bool) -> Iterator[RenderableType]:
    if not found:
        return
    yield Text(f"\n{title}", style="bold")
    for one in found:
        yield _finding(one, full=full)


def _finding(one: Finding, *, full: bool) -> RenderableType:
    head = heading((one.id, _COLOURS[one.severity]), "  ", (one.title, "bold"), f"  {one.about}".rstrip())
    return Group(head, Fields(list(_body(one, full=full))))


def _body(one: Finding, *, full: bool) -> Iterator[Field]:
    yield Field("cause", one.cause)
    yield from listed("read", [_evidence(each) for each in one.evidence], exact=True)
    if full:
        yield from listed("users see", list(one.symptoms))
        yield Field("why", one.why)
    yield Field("do", one.remedy.text)
    yield from (Field("", f"$ {command}", "cyan", exact=True) for command in one.remedy.commands)
    if full and one.links:
        yield Field("more", one.links[0], "dim", exact=True)


def _evidence(each: Evidence) -> str:
    return "  ".join(part for part in (each.subject, each.field, each.value) if part)


def _verdict(report: Report) -> Text:
    link = verdict.broken_link(report)
    if link:
        return Text(f"\nbroken at the {LINKS[link]}", style="bold red")
    later, unsafe = len(verdict.later(report)), len(verdict.insecure(report))
    more = f"; {plural(unsafe, 'thing')} insecure" if unsafe else ""
    if later:
        return Text(f"\nready, and {plural(later, 'thing')} will break{more}", style="bold yellow")
    if not report.held:
        return Text("\nthere is nothing of a GPU host here", style="bold yellow")
    return Text(f"\nready: every link that is here holds{more}", style="bold green")


def trial(tried: "Trial") -> Text:
    """A trial as a line."""
    sign = ("✓ ", "green") if tried.worked else ("✗ ", "bold red")
    return Text.assemble(sign, (tried.name, "bold"), f"  {tried.outcome}")


def change(finding: str, diff: str) -> Text:
    """What is about to be done, with the colours of a diff."""
    text = Text(f"\n{finding}\n", style="bold")
    for line in diff.splitlines():
        text.append(f"{line}\n", {"+": "not bold green", "-": "not bold red"}.get(line[:1], "not bold"))
    return text
