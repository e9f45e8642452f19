"""The links of the doctor's report as a chain: what each is after the findings on it, and on which side it stands."""

from typing import get_args

from linkspan.check import verdict
from linkspan.check.model import LINKS, Finding, Link, Report
from linkspan.explain.chain import Box, Side, State

_SIDES: dict[Link, Side] = {
    "pci": "host",
    "module": "host",
    "version": "host",
    "nodes": "host",
    "libraries": "host",
    "loader-cache": "host",
    "bridge": "bridge",
    "engine-config": "bridge",
    "engine": "bridge",
    "request": "bridge",
    "injection": "bridge",
    "image": "container",
}


def first(report: Report) -> Finding | None:
    """The finding to mend first: that on the earliest link among those that break something now."""
    return next(iter(verdict.in_order(verdict.first(report))), None)


def boxes(report: Report) -> tuple[Box, ...]:
    """One box a link, from hardware to application, as the doctor looks at them."""
    return tuple(_box(report, link) for link in get_args(Link))


def _box(report: Report, link: Link) -> Box:
    found = [finding for finding in verdict.in_order(report.findings) if finding.link == link]
    held = "" if found else report.held.get(link, "")
    return Box(key=link, title=LINKS[link], side=_SIDES[link], state=_state(report, link, found), detail=held)


def _state(report: Report, link: Link, found: list[Finding]) -> State:
    if any(verdict.breaks(finding) for finding in found):
        return "broken"
    if found:
        return "doubtful"
    if link in verdict.not_reached(report):
        return "not reached"
    return "holds" if link in report.held else "unknown"
