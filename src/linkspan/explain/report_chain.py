"""The links of the doctor's report as a chain: what each is after the findings on it, and on which side it stands."""

from typing import get_args

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


def order(findings: tuple[Finding, ...]) -> list[Finding]:
    """Findings in the order in which they are to be mended: by link, from the hardware on, the graver first."""
    links, graver = list(LINKS), ("critical", "error", "warning", "info")
    return sorted(findings, key=lambda finding: (links.index(finding.link), graver.index(finding.severity)))


def first(report: Report) -> Finding | None:
    """The finding to mend first: that on the earliest link among those that break something now."""
    return next((finding for finding in order(report.findings) if breaks(finding)), None)


def breaks(finding: Finding) -> bool:
    """Whether something does not work now because of it."""
    return finding.horizon == "now" and finding.severity in {"critical", "error"}


def boxes(report: Report) -> tuple[Box, ...]:
    """One box a link, from hardware to application, as the doctor looks at them."""
    return tuple(_box(report, link) for link in get_args(Link))


def _box(report: Report, link: Link) -> Box:
    found = [finding for finding in order(report.findings) if finding.link == link]
    held = "" if found else report.held.get(link, "")
    return Box(key=link, title=LINKS[link], side=_SIDES[link], state=_state(report, link, found), detail=held)


def _state(report: Report, link: Link, found: list[Finding]) -> State:
    if any(breaks(finding) for finding in found):
        return "broken"
    if found:
        return "doubtful"
    if link in report.held:
        return "holds"
    broken = first(report)
    links = list(LINKS)
    return "not reached" if broken and links.index(broken.link) < links.index(link) else "unknown"
