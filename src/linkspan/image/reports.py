"""The check of an image for programs: SARIF, JUnit, GitLab's code quality, GitHub's annotations.

JSON is the model itself.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from linkspan.check.exchange import (
    LEVELS,
    Case,
    annotation,
    junit_suite,
    quality_issue,
    relative_uri,
    sarif_location,
    sarif_log,
    sarif_rule,
)
from linkspan.check.model import Severity
from linkspan.image import dockerfile_checks, registry
from linkspan.image.dockerfile_model import DockerfileRule
from linkspan.image.judged import Judged, fails, legible
from linkspan.image.registry import Finding, Rule
from linkspan.plan.wording import plural

_TOOL = "linkspan image check"
_PATHS = 20
"""Paths of a finding that a report lists; the first ones tell, and reports have limits."""


class Unread(NamedTuple):
    """A file that could not be judged: its name, why in a sentence, and the line if one is to blame."""

    file: str
    message: str
    line: int = 0


def sarif(judged: Judged, unread: Iterable[Unread] = ()) -> dict[str, Any]:
    """The check as a SARIF 2.1.0 log: what is known is unchanged, what the policy switched off is suppressed."""
    rules = _rules(judged)
    order = {rule.id: number for number, rule in enumerate(rules)}
    silenced = [
        _result(judged, each.finding, order) | {"suppressions": [{"kind": "external", "justification": each.reason}]}
        for each in judged.silenced
    ]
    new = [_result(judged, one, order) | {"baselineState": "new"} for one in judged.findings]
    known = [_result(judged, one, order) | {"baselineState": "unchanged"} for one in judged.known]
    listed = [sarif_rule(rule.id, rule.title, rule.why, rule.title) for rule in rules]
    failed = [one.message for one in unread]
    return sarif_log(_TOOL, listed, [*new, *known, *silenced], failed=failed, odd=judged.notes)


def _result(judged: Judged, one: Finding, order: dict[str, int]) -> dict[str, Any]:
    places = [relative_uri(path) for path in one.paths[:_PATHS]] or [relative_uri(_place(one.file) or judged.source)]
    layer = {"name": f"layer {one.layer}", "fullyQualifiedName": one.layer_digest}
    within = {} if one.layer is None else {"logicalLocations": [layer]}
    return {
        "ruleId": one.id,
        "ruleIndex": order.get(one.id, -1),
        "level": LEVELS[one.severity],
        "message": {"text": f"{one.cause}; {one.fix}"},
        "locations": [sarif_location(place, one.line) | within for place in places],
        "partialFingerprints": {"linkspanImage/v1": _fingerprint(one)},
        "properties": {"image": judged.source, "severity": one.severity, "bytes": one.bytes},
    }


def _fingerprint(one: Finding) -> str:
    """The same for a finding of a later image: the rule and its paths, or its words where it has none."""
    text = "\0".join((one.id, *(one.paths or (one.cause,))))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def junit(judged: Judged, fail_on: Severity, unread: Iterable[Unread] = ()) -> str:
    """The check as JUnit's XML: each rule a test, failed by a new finding at or above a severity."""
    broken = (Case(_place(one.file), "image.read", error=one.message) for one in unread)
    cases = (_case(judged, rule.id, _group(rule), fail_on) for rule in _rules(judged))
    return junit_suite(_TOOL, (*broken, *cases))


def _rules(judged: Judged) -> Sequence[Rule | DockerfileRule]:
    return dockerfile_checks.all_rules() if judged.is_dockerfile else registry.all_rules()


def _group(rule: Rule | DockerfileRule) -> str:
    return f"image.{rule.area}" if isinstance(rule, Rule) else "image.dockerfile"


def _case(judged: Judged, name: str, group: str, fail_on: Severity) -> Case:
    new = [one for one in judged.findings if one.id == name]
    known = [one for one in judged.known if one.id == name]
    off = [each.reason for each in judged.silenced if each.finding.id == name]
    failed = [one for one in new if fails(one, fail_on)]
    return Case(
        name=name,
        group=group,
        failures=[(one.cause, _text(one)) for one in failed],
        remarks=[_text(one) for one in (*new, *known) if one not in failed],
        skipped=off[0] if off and not new and not known else "",
    )


def _text(one: Finding) -> str:
    place = f"{_place(one.file)}:{one.line}: " if one.file else ""
    return "\n".join((f"{place}{one.cause}", f"fix: {one.fix}", *one.paths[:_PATHS]))


def github(judged: Judged, unread: Iterable[Unread] = ()) -> Iterator[str]:
    """Annotations for a workflow of GitHub's, one a line."""
    for name, message, line in unread:
        yield annotation("error", "cannot be read", message, _place(name), line)
    for one in judged.findings:
        where = f" ({one.paths[0]}{_more(one)})" if one.paths else ""
        text = f"{one.cause}{where}; {one.fix}"
        yield annotation(one.severity, f"{one.id} {one.title}", text, _place(one.file), one.line)
    for note in judged.notes:
        yield annotation("warning", "policy", note)


def _more(one: Finding) -> str:
    return f" and {plural(len(one.paths) - 1, 'more path')}" if len(one.paths) > 1 else ""


def code_quality(judged: Judged, unread: Iterable[Unread] = ()) -> list[dict[str, Any]]:
    """The check as a code quality report of GitLab's: what is new, and what could not be read."""
    seen: Counter[str] = Counter()
    return [
        *(
            quality_issue("critical", "unreadable", message, _mark(seen, name, message), _place(name), line=line)
            for name, message, line in unread
        ),
        *(_issue(judged, one, seen) for one in judged.findings),
    ]


def _issue(judged: Judged, one: Finding, seen: Counter[str]) -> dict[str, Any]:
    path = _place(one.file) or (one.paths[0].lstrip("/") if one.paths else judged.source)
    mark = _mark(seen, path, _fingerprint(one))
    return quality_issue(one.severity, one.id, f"{one.cause}; {one.fix}", mark, path, line=one.line)


def _mark(seen: Counter[str], *words: str) -> str:
    """The same in a later report, whatever stands above in the file; equal ones are told apart by their order."""
    text = "\0".join(words)
    seen[text] += 1
    return hashlib.sha256(f"{text}\0{seen[text]}".encode("utf-8", "backslashreplace")).hexdigest()


def _place(file: str) -> str:
    """A file as programs that know the repository name it: from the folder that the check runs in."""
    near = os.path.relpath(file) if file else ""
    return legible(file if near.startswith("../") else near)
