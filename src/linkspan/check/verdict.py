"""What a report comes to: the first broken link, what it keeps from being reached, and what is apart from that."""

from collections.abc import Iterable

from linkspan.check.model import LINKS, Finding, Link, Report

READY, BROKEN, WILL_BREAK, COULD_NOT_LOOK = 0, 1, 2, 3
"""Exit codes of the doctor."""

_ORDER = {link: number for number, link in enumerate(LINKS)}
_SEVERITY = {"critical": 0, "error": 1, "warning": 2, "info": 3}
_BREAKS = ("critical", "error")


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings from hardware to application, the worst of a link first."""
    return tuple(sorted(found, key=lambda one: (_ORDER[one.link], _SEVERITY[one.severity], one.id, one.about)))


def breaks(finding: Finding) -> bool:
    """True for what keeps a GPU container from working now."""
    return finding.horizon == "now" and finding.severity in _BREAKS


def broken_link(report: Report) -> Link | None:
    """The first link of the chain that is broken."""
    return min((one.link for one in report.findings if breaks(one)), key=_ORDER.__getitem__, default=None)


def first(report: Report) -> list[Finding]:
    """What breaks the first broken link: this is to be mended first."""
    link = broken_link(report)
    return [one for one in report.findings if breaks(one) and one.link == link]


def following(report: Report) -> list[Finding]:
    """What is broken on later links: it may be mended with the first."""
    link = broken_link(report)
    return [one for one in report.findings if breaks(one) and one.link != link]


def later(report: Report) -> list[Finding]:
    """What works now, and will not after the next reload, update or reboot."""
    return [one for one in report.findings if one.horizon == "later"]


def insecure(report: Report) -> list[Finding]:
    """What works, and lets a container reach what it should not."""
    return [one for one in report.findings if one.horizon == "insecure"]


def odd(report: Report) -> list[Finding]:
    """What is worth knowing, and breaks nothing."""
    return [one for one in report.findings if one.horizon == "now" and not breaks(one)]


def not_reached(report: Report) -> list[Link]:
    """The links behind the first broken one."""
    link = broken_link(report)
    return [] if link is None else [one for one in LINKS if _ORDER[one] > _ORDER[link]]


def exit_code(report: Report) -> int:
    """0 ready, 1 broken, 2 will break; 3 where a rule gave no answer and nothing else is wrong."""
    if broken_link(report):
        return BROKEN
    if later(report):
        return WILL_BREAK
    return COULD_NOT_LOOK if report.unanswered else READY
