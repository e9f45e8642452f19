"""The doctor's reports for programs: SARIF for code scanning, JUnit for CI systems. JSON is the model itself."""

from typing import Any

from linkspan.check.catalogue import all_modes
from linkspan.check.exchange import LEVELS, Case, junit_suite, sarif_location, sarif_log, sarif_rule
from linkspan.check.model import Finding, Report
from linkspan.check.registry import all_rules
from linkspan.check.verdict import breaks

_TOOL = "linkspan doctor"


def sarif(report: Report) -> dict[str, Any]:
    """The report as a SARIF 2.1.0 log with one run."""
    used = sorted({one.id for one in report.findings})
    results = [_sarif_result(one, used.index(one.id)) for one in report.findings]
    failed = (f"{one.id}: {one.reason}" for one in report.unanswered)
    return sarif_log(_TOOL, [_sarif_rule(name) for name in used], results, failed)


def _sarif_rule(name: str) -> dict[str, Any]:
    mode = all_modes()[name]
    return sarif_rule(name, mode.title, mode.why, mode.remedy, mode.links[0] if mode.links else "")


def _sarif_result(one: Finding, index: int) -> dict[str, Any]:
    text = f"{one.about}: {one.cause}" if one.about else one.cause
    return {
        "ruleId": one.id,
        "ruleIndex": index,
        "level": LEVELS[one.severity],
        "message": {"text": f"{text}; {one.remedy.text}"},
        "locations": [
            sarif_location(f"file://{each.subject}") for each in one.evidence if each.subject.startswith("/")
        ],
        "properties": {"link": one.link, "horizon": one.horizon, "about": one.about},
    }


def junit(report: Report) -> str:
    """The report as JUnit's XML: each rule a test, failed where it found something broken."""
    found: dict[str, list[Finding]] = {}
    for one in report.findings:
        found.setdefault(one.id, []).append(one)
    silent = {one.id: one.reason for one in report.unanswered}
    return junit_suite(_TOOL, (_case(rule.id, rule.link, found, silent) for rule in all_rules()))


def _case(name: str, link: str, found: dict[str, list[Finding]], silent: dict[str, str]) -> Case:
    here = found.get(name, [])
    return Case(
        name=name,
        group=link,
        failures=[(one.cause, _text(one)) for one in here if breaks(one)],
        remarks=[_text(one) for one in here if not breaks(one)],
        error=silent.get(name, ""),
    )


def _text(one: Finding) -> str:
    return "\n".join([one.cause, *(f"{each.subject} {each.field} {each.value}" for each in one.evidence)])
