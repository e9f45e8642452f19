"""Reports for programs: SARIF for code scanning, JUnit for CI systems. JSON is the model itself."""

from typing import Any
from xml.etree import ElementTree

from linkspan._version import __version__
from linkspan.check.catalogue import all_modes
from linkspan.check.model import Finding, Report
from linkspan.check.registry import all_rules
from linkspan.check.verdict import breaks

_LEVELS = {"critical": "error", "error": "error", "warning": "warning", "info": "note"}
"""SARIF 2.1.0, section 3.27.10."""


def sarif(report: Report) -> dict[str, Any]:
    """The report as a SARIF 2.1.0 log with one run."""
    used = sorted({one.id for one in report.findings})
    driver = {
        "name": "linkspan doctor",
        "semanticVersion": __version__,
        "rules": [_sarif_rule(name) for name in used],
    }
    failed = [{"level": "error", "message": {"text": f"{one.id}: {one.reason}"}} for one in report.unanswered]
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": not failed, "toolExecutionNotifications": failed}],
        "results": [_sarif_result(one, used.index(one.id)) for one in report.findings],
    }
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def _sarif_rule(name: str) -> dict[str, Any]:
    mode = all_modes()[name]
    rule: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": mode.title},
        "fullDescription": {"text": mode.why},
        "help": {"text": mode.remedy},
    }
    return rule | ({"helpUri": mode.links[0]} if mode.links else {})


def _sarif_result(one: Finding, index: int) -> dict[str, Any]:
    text = f"{one.about}: {one.cause}" if one.about else one.cause
    return {
        "ruleId": one.id,
        "ruleIndex": index,
        "level": _LEVELS[one.severity],
        "message": {"text": f"{text}; {one.remedy.text}"},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": f"file://{each.subject}"}}}
            for each in one.evidence
            if each.subject.startswith("/")
        ],
        "properties": {"link": one.link, "horizon": one.horizon, "about": one.about},
    }


def junit(report: Report) -> str:
    """The report as JUnit's XML: each rule a test, failed where it found something broken."""
    found: dict[str, list[Finding]] = {}
    for one in report.findings:
        found.setdefault(one.id, []).append(one)
    silent = {one.id: one.reason for one in report.unanswered}
    suite = ElementTree.Element("testsuite", name="linkspan doctor")
    failures = 0
    for rule in all_rules():
        case = ElementTree.SubElement(suite, "testcase", classname=rule.link, name=rule.id)
        failures += _junit_case(case, found.get(rule.id, []), silent.get(rule.id, ""))
    suite.set("tests", str(len(all_rules())))
    suite.set("failures", str(failures))
    suite.set("errors", str(len(silent)))
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _junit_case(case: ElementTree.Element, found: list[Finding], silent: str) -> bool:
    if silent:
        ElementTree.SubElement(case, "error", message=_clean(silent))
    for one in found:
        kind = "failure" if breaks(one) else "system-out"
        element = ElementTree.SubElement(case, kind)
        if kind == "failure":
            element.set("message", _clean(one.cause))
        element.text = _clean("\n".join([one.cause, *(f"{e.subject} {e.field} {e.value}" for e in one.evidence)]))
    return any(breaks(one) for one in found)


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return "".join(sign if sign in "\t\n" or sign >= " " else "\N{REPLACEMENT CHARACTER}" for sign in text)
