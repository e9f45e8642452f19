"""The check of an image as a page: of the same make as those that explain containers."""

from linkspan.check.model import Severity
from linkspan.cli import image_words
from linkspan.explain import page, shown
from linkspan.explain.markup import Markup, join, tag
from linkspan.explain.page_parts import mark, path, said
from linkspan.image.amounts import size
from linkspan.image.judged import SEVERITIES, TITLES, Judged, Silenced, fails
from linkspan.image.registry import Finding
from linkspan.plan.wording import plural

_STATES: dict[Severity, str] = {
    "critical": "broken",
    "error": "broken",
    "warning": "doubtful",
    "info": "unknown",
}
_PATHS = 20


def render(judged: Judged, fail_on: Severity) -> str:
    """The page of a check."""
    words = verdict(judged, fail_on)
    chapters = [_chapter(judged, severity) for severity in SEVERITIES]
    findings = tag("div", *chapters, _known(judged), _silenced(judged), _told(judged), class_="findings")
    return page.document(f"linkspan image check: {words}", join((_header(judged, words), tag("main", findings))))


def verdict(judged: Judged, fail_on: Severity) -> str:
    """The answer in one sentence."""
    bad = sum(fails(one, fail_on) for one in judged.findings)
    if bad:
        return f"{plural(bad, 'finding')} at or above {fail_on}."
    rest = len(judged.findings)
    clean = image_words.clean(judged).capitalize()
    return f"{clean}, with {plural(rest, 'finding')} below {fail_on}." if rest else f"{clean}: no rule found anything."


def _header(judged: Judged, words: str) -> Markup:
    driver = f"driver {judged.target.driver}" if judged.target.driver else ""
    target = ", ".join(part for part in (driver, *judged.target.gpus) if part)
    where = join((", for ", said(target))) if target else Markup("")
    about = tag("span", "looked at ", said(judged.source), where)
    kicker = tag("p", tag("b", "linkspan image check"), about, class_="kicker")
    counts = [_count(judged, severity) for severity in SEVERITIES]
    return tag("header", kicker, tag("h1", words), _holds(judged), _runs(judged), tag("p", *counts, class_="sum"))


def _holds(judged: Judged) -> Markup:
    holds = image_words.holds(judged.parts)
    return _sentence("It holds ", holds) if holds else Markup("")


def _runs(judged: Judged) -> Markup:
    if not judged.runs:
        return Markup("")
    return _sentence("Runs there: ", image_words.runs(judged.runs))


def _sentence(begin: str, rest: str) -> Markup:
    """A sentence of its own: its parts stay on one line, where those of a sum are set apart."""
    return tag("p", tag("span", begin, said(rest), "."), class_="sum")


def _count(judged: Judged, severity: Severity) -> Markup:
    number = sum(one.severity == severity for one in judged.findings)
    text = f"{TITLES[severity]}: {number}"
    return tag("a", text, href=f"#{severity}") if number else tag("span", text)


def _chapter(judged: Judged, severity: Severity) -> Markup:
    items = [_finding(one, number) for number, one in enumerate(judged.findings) if one.severity == severity]
    if not items:
        return Markup("")
    return tag("section", tag("h2", TITLES[severity], id=severity), *items, aria_labelledby=severity)


def _finding(one: Finding, number: int) -> Markup:
    bytes_ = tag("span", f"saves {size(one.bytes)}") if one.bytes else Markup("")
    state = mark(_STATES[one.severity], one.severity)
    tags = tag("p", state, tag("span", tag("code", said(one.id))), bytes_, class_="tags")
    parts = (
        tags,
        tag("h3", said(one.title), id=f"title-{number}"),
        tag("p", said(one.cause)),
        tag("p", said(one.why), class_="quiet"),
        _titled("What to do", _copied(one.fix)),
        _titled("Where", _paths(one)) if one.paths else Markup(""),
        _titled("Where", tag("p", tag("code", said(f"{one.file}:{one.line}")))) if one.line else Markup(""),
        _titled("Which layer brought it", _layer(one)) if one.layer is not None else Markup(""),
    )
    return tag("article", *parts, class_="finding", id=f"finding-{number}", aria_labelledby=f"title-{number}")


def _titled(title: str, content: Markup) -> Markup:
    return join((tag("h4", title), content))


def _copied(fix: str) -> Markup:
    label = f"Copy {shown.line(fix, 120)}"
    button = tag("button", "Copy", type="button", class_="copy", hidden=True, aria_label=label)
    item = tag("li", tag("pre", tag("code", shown.block(fix, 20_000))), button, class_="command")
    return tag("ol", item, class_="commands")


def _paths(one: Finding) -> Markup:
    more = len(one.paths) - _PATHS
    rest = [tag("li", f"and {more} more")] if more > 0 else []
    return tag("ul", *(tag("li", tag("code", path(each))) for each in one.paths[:_PATHS]), *rest, class_="seen")


def _layer(one: Finding) -> Markup:
    command = tag("code", said(one.layer_command)) if one.layer_command else "its history does not tell how"
    return tag("p", f"Layer {one.layer}: ", command)


def _known(judged: Judged) -> Markup:
    items = [tag("li", tag("code", said(one.id)), " ", said(one.cause)) for one in judged.known]
    return _section("known", "Known before", items)


def _silenced(judged: Judged) -> Markup:
    return _section("off", "Switched off by the policy", [_off(each) for each in judged.silenced])


def _off(each: Silenced) -> Markup:
    words = join((said(each.finding.cause), f"; until {each.expires}: ", said(each.reason)))
    return tag("li", tag("code", said(each.finding.id)), " ", words)


def _told(judged: Judged) -> Markup:
    refused = [tag("li", "left out of the image: ", said(one)) for one in judged.refused]
    return _section("notes", "To be told", [*(tag("li", said(one)) for one in judged.notes), *refused])


def _section(name: str, title: str, items: list[Markup]) -> Markup:
    if not items:
        return Markup("")
    return tag("section", tag("h2", title, id=name), tag("ul", *items, class_="seen"), aria_labelledby=name)
