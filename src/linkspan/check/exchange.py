"""Forms of findings that other programs read: SARIF 2.1.0, JUnit's XML, GitLab's code quality, GitHub's annotations."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree

from linkspan._version import __version__
from linkspan.check.model import Severity

LEVELS: dict[Severity, str] = {"critical": "error", "error": "error", "warning": "warning", "info": "note"}
"""SARIF 2.1.0, section 3.27.10."""

QUALITY: dict[Severity, str] = {"critical": "blocker", "error": "critical", "warning": "minor", "info": "info"}
"""The severities of GitLab's code quality reports."""
_COMMANDS: dict[Severity, str] = {"critical": "error", "error": "error", "warning": "warning", "info": "notice"}
_IN_TEXT = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = _IN_TEXT | str.maketrans({":": "%3A", ",": "%2C"})

Document = dict[str, Any]


class Case(NamedTuple):
    """A test of a JUnit suite. ``failures`` are message and text of each, ``remarks`` texts of what did not fail it.

    ``error`` says why there is no answer; ``skipped`` why it was left out on purpose.
    """

    name: str
    group: str
    failures: Sequence[tuple[str, str]] = ()
    remarks: Sequence[str] = ()
    error: str = ""
    skipped: str = ""


def sarif_log(
    tool: str,
    rules: Sequence[Document],
    results: Sequence[Document],
    failed: Iterable[str] = (),
    odd: Iterable[str] = (),
) -> Document:
    """A SARIF log with one run.

    ``failed`` are sentences about what could not be judged, ``odd`` about what is wrong with the tool's configuration.
    """
    notes = [{"level": "error", "message": {"text": text}} for text in failed]
    told = [{"level": "warning", "message": {"text": text}} for text in odd]
    invocation: Document = {"executionSuccessful": not notes, "toolExecutionNotifications": notes}
    run = {
        "tool": {"driver": {"name": tool, "semanticVersion": __version__, "rules": list(rules)}},
        "invocations": [invocation | ({"toolConfigurationNotifications": told} if told else {})],
        "results": list(results),
    }
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def sarif_rule(name: str, title: str, why: str, remedy: str, link: str = "") -> Document:
    """A rule of a SARIF log; ``link`` is a page about it."""
    rule: Document = {
        "id": name,
        "shortDescription": {"text": title},
        "fullDescription": {"text": why},
        "help": {"text": remedy},
    }
    return rule | ({"helpUri": link} if link else {})


def sarif_location(uri: str, line: int = 0) -> Document:
    """A place in a SARIF result; ``line`` counts from 1, and 0 is the file as a whole.

    That too begins at a line, since GitHub's code scanning asks each place for one ("SARIF support for code scanning").
    """
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line or 1}}}


def relative_uri(path: str) -> str:
    """A path of an image as SARIF wants it: relative, and percent-encoded, whatever bytes a stranger put into it."""
    return quote(path.lstrip("/").encode("utf-8", "backslashreplace"))


def junit_suite(name: str, cases: Iterable[Case]) -> str:
    """A suite as JUnit's XML; a case counts as one failure, however many it has."""
    suite = ElementTree.Element("testsuite", name=name)
    listed = list(cases)
    for case in listed:
        _case(suite, case)
    suite.set("tests", str(len(listed)))
    suite.set("failures", str(sum(bool(case.failures) for case in listed)))
    suite.set("errors", str(sum(bool(case.error) for case in listed)))
    if skipped := sum(bool(case.skipped) for case in listed):
        suite.set("skipped", str(skipped))
    # By itself ElementTree would declare the encoding of the user's locale, and files are written in UTF-8.
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{ElementTree.tostring(suite, encoding='unicode')}\n"


def _case(suite: ElementTree.Element, case: Case) -> None:
    element = ElementTree.SubElement(suite, "testcase", classname=clean(case.group), name=clean(case.name))
    if case.error:
        ElementTree.SubElement(element, "error", message=clean(case.error))
    if case.skipped:
        ElementTree.SubElement(element, "skipped", message=clean(case.skipped))
    for message, text in case.failures:
        ElementTree.SubElement(element, "failure", message=clean(message)).text = clean(text)
    for text in case.remarks:
        ElementTree.SubElement(element, "system-out").text = clean(text)


def clean(text: str) -> str:
    """Without what XML 1.0 cannot hold (section 2.2)."""
    return "".join(sign if _fits(sign) else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _fits(sign: str) -> bool:
    return sign in "\t\n" or " " <= sign < "\ud800" or "\ue000" <= sign < "\ufffe" or sign > "\uffff"


def annotation(severity: Severity, title: str, text: str, file: str = "", line: int = 0) -> str:
    """A workflow command of GitHub's: https://docs.github.com/actions/reference/workflow-commands.

    What comes from strangers is escaped, so that it cannot give the runner a command of its own; lines count from 1.
    """
    place = f"file={file.translate(_IN_PROPERTY)},{f'line={line},' if line else ''}" if file else ""
    return f"::{_COMMANDS[severity]} {place}title={title.translate(_IN_PROPERTY)}::{text.translate(_IN_TEXT)}"


def quality_issue(severity: Severity, name: str, text: str, fingerprint: str, path: str, *, line: int = 0) -> Document:
    """An issue of GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/.

    GitLab shows one issue for each fingerprint, so each needs its own; an issue always has a line, from 1 on.
    """
    return {
        "description": text,
        "check_name": name,
        "fingerprint": fingerprint,
        "severity": QUALITY[severity],
        "location": {"path": path, "lines": {"begin": line or 1}},
    }
