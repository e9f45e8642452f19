"""The page of a report of the doctor: the links as a chain, beside it the findings by what they mean for you."""

from collections.abc import Iterable

from linkspan.check import verdict as judged
from linkspan.check.model import Finding, Horizon, Report
from linkspan.explain import joints, report_chain, shown
from linkspan.explain.chain import Box
from linkspan.explain.markup import Markup, join, tag
from linkspan.explain.page_parts import commands, evidence, mark, said
from linkspan.explain.page_picture import bank

_CHAPTERS: tuple[tuple[Horizon, str, str], ...] = (
    ("now", "Broken now", "Mend the first one first: what comes after it may mend itself."),
    ("later", "What will break later", "It works, until the next reload, driver update or reboot."),
    ("insecure", "What works, and is not safe", "Nothing fails because of it, and that is the trouble."),
)
_STATES = {"critical": "broken", "error": "broken", "warning": "doubtful", "info": "unknown"}


def verdict(report: Report) -> str:
    """The answer in one sentence."""
    first = report_chain.first(report)
    if first:
        return f"The chain is broken: {shown.line(first.cause, 400).rstrip('.')}."
    if any(finding.horizon == "now" for finding in report.findings):
        return "The chain holds, with something to look at."
    if report.findings:
        return "The chain holds now, and there is something to see to."
    return "Every link that was looked at holds." if report.held else "There was nothing to look at."


def body(report: Report) -> Markup:
    """All between the page's beginning and its footer."""
    chapters = [_chapter(report, *chapter) for chapter in _CHAPTERS]
    findings = tag("div", *chapters, _unanswered(report), _nothing(report), class_="findings")
    return join((_header(report), tag("main", tag("div", _map(report), findings, class_="report"))))


def _header(report: Report) -> Markup:
    kicker = tag("p", tag("b", "linkspan doctor"), tag("span", "looked at ", said(report.looked_at)), class_="kicker")
    counts = [_count(report, horizon, words) for horizon, words, _ in _CHAPTERS]
    return tag("header", kicker, tag("h1", tag("bdi", verdict(report))), tag("p", *counts, class_="sum"))


def _count(report: Report, horizon: Horizon, words: str) -> Markup:
    number = sum(finding.horizon == horizon for finding in report.findings)
    text = f"{words}: {number}"
    return tag("a", text, href=f"#{horizon}") if number else tag("span", text)


def _map(report: Report) -> Markup:
    runs = joints.runs(report_chain.boxes(report), toward="application")
    banks = [
        bank(run, "", number, more=lambda placed: _to_findings(report, placed.box)) for number, run in enumerate(runs)
    ]
    return tag("div", *banks, class_="map")


def _to_findings(report: Report, box: Box) -> Markup:
    items = enumerate(judged.in_order(report.findings))
    links = [
        tag("a", said(finding.title), href=f"#finding-{number}") for number, finding in items if finding.link == box.key
    ]
    return tag("p", *links, class_="more") if links else Markup("")


def _chapter(report: Report, horizon: Horizon, title: str, about: str) -> Markup:
    having = [(number, one) for number, one in enumerate(judged.in_order(report.findings)) if one.horizon == horizon]
    if not having:
        return Markup("")
    first = report_chain.first(report)
    items = [_finding(number, finding, finding is first) for number, finding in having]
    return tag(
        "section", tag("h2", title, id=horizon), tag("p", about, class_="quiet"), *items, aria_labelledby=horizon
    )


def _finding(number: int, finding: Finding, first: bool) -> Markup:
    words = "mend this first" if first else finding.severity
    about = tag("span", "about ", said(finding.about)) if finding.about else Markup("")
    tags = tag(
        "p", mark(_STATES[finding.severity], words), tag("span", tag("code", said(finding.id))), about, class_="tags"
    )
    parts = (
        tags,
        tag("h3", said(finding.title), id=f"title-{number}"),
        tag("p", said(finding.cause)),
        tag("p", said(finding.why), class_="quiet") if finding.why else Markup(""),
        _titled("What to do", join((tag("p", said(finding.remedy.text)), commands(finding.remedy)))),
        _titled("What was read", evidence(finding.evidence)) if finding.evidence else Markup(""),
        _titled("What you may see", _lines(tag("code", said(one)) for one in finding.symptoms))
        if finding.symptoms
        else Markup(""),
        _titled("Seen elsewhere", _lines(_address(one) for one in finding.links)) if finding.links else Markup(""),
    )
    kind = "finding first" if first else "finding"
    return tag("article", *parts, class_=kind, id=f"finding-{number}", aria_labelledby=f"title-{number}")


def _titled(title: str, content: Markup) -> Markup:
    return join((tag("h4", title), content))


def _lines(items: Iterable[Markup]) -> Markup:
    return tag("ul", *(tag("li", item) for item in items), class_="seen")


def _address(address: str) -> Markup:
    """A link where it leads to the web, else mere text: other schemes can run what they carry."""
    if address.startswith(("https://", "http://")):
        return tag("a", said(address), href=shown.line(address, shown.VALUE), rel="noreferrer noopener")
    return said(address)


def _unanswered(report: Report) -> Markup:
    if not report.unanswered:
        return Markup("")
    items = _lines(join((tag("code", said(one.id)), ": ", said(one.reason))) for one in report.unanswered)
    return tag("section", tag("h2", "Not answered", id="unanswered"), items, aria_labelledby="unanswered")


def _nothing(report: Report) -> Markup:
    if report.findings:
        return Markup("")
    held = _lines(join((tag("b", said(link)), ": ", said(words))) for link, words in report.held.items())
    return tag("section", tag("h2", "What holds", id="held"), held, aria_labelledby="held")
