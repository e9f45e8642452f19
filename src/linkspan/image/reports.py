"""The check of an image for programs: SARIF, JUnit, annotations of GitHub's workflows. JSON is the model itself."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from linkspan.check.exchange import LEVELS, Case, junit_suite, relative_uri, sarif_location, sarif_log, sarif_rule
from linkspan.check.model import Severity
from linkspan.image import dockerfile_checks, registry
from linkspan.image.dockerfile_model import DockerfileRule
from linkspan.image.judged import Judged, fails
from linkspan.image.registry import Finding, Rule
from linkspan.plan.wording import plural

_TOOL = "linkspan image check"
_PATHS = 20
"""Paths of a finding that a report lists; the first ones tell, and reports have limits."""
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
_IN_TEXT = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = _IN_TEXT | str.maketrans({":": "%3A", ",": "%2C"})


def sarif(judged: Judged) -> dict[str, Any]:
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
    return sarif_log(_TOOL, listed, [*new, *known, *silenced], odd=judged.notes)


def _result(judged: Judged, one: Finding, order: dict[str, int]) -> dict[str, Any]:
    places = [relative_uri(path) for path in one.paths[:_PATHS]] or [relative_uri(one.file or judged.source)]
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


def junit(judged: Judged, fail_on: Severity) -> str:
    """The check as JUnit's XML: each rule a test, failed by a new finding at or above a severity."""
    return junit_suite(_TOOL, (_case(judged, rule.id, _group(rule), fail_on) for rule in _rules(judged)))


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
    return "\n".join((one.cause, f"fix: {one.fix}", *one.paths[:_PATHS]))


def github(judged: Judged) -> Iterator[str]:
    """Workflow commands, one a line: https://docs.github.com/actions/reference/workflow-commands.

    What comes from the image is escaped: a file's name cannot give the runner a command of its own.
    """
    for one in judged.findings:
        title = f"{one.id} {one.title}".translate(_IN_PROPERTY)
        where = f" ({one.paths[0]}{_more(one)})" if one.paths else ""
        text = f"{one.cause}{where}; {one.fix}".translate(_IN_TEXT)
        place = f"file={one.file.translate(_IN_PROPERTY)},line={one.line}," if one.file else ""
        yield f"::{_COMMANDS[LEVELS[one.severity]]} {place}title={title}::{text}"
    for note in judged.notes:
        yield f"::warning title=policy::{note.translate(_IN_TEXT)}"


def _more(one: Finding) -> str:
    return f" and {plural(len(one.paths) - 1, 'more path')}" if len(one.paths) > 1 else ""
