"""A decision is a function of findings, a severity, a policy and a day."""

import datetime

import pytest

from linkspan.check.model import Severity
from linkspan.image import policy
from linkspan.image.admission import admit
from linkspan.image.judged import SEVERITIES
from linkspan.image.registry import Finding

TODAY = datetime.date(2026, 11, 26)
RULES = policy.parse(
    b"""
[[rule]]
id = "I-BOUNDARY-1"
severity = "off"
reason = "ticket 4711"
expires = 2026-12-01

[[rule]]
id = "I-WEIGHT-1"
severity = "critical"
reason = "no compilers here"
expires = 2027-01-01
""",
    "rules.toml",
)


def finding(id_: str, severity: Severity, cause: str = "something is there") -> Finding:
    return Finding(id=id_, title="t", area="boundary", severity=severity, why="w", cause=cause, fix="f", paths=("/a",))


DRIVER = finding("I-BOUNDARY-1", "error", "libcuda.so.1 is there")
COMPILER = finding("I-WEIGHT-1", "warning", "gcc is there")


@pytest.mark.parametrize("fail_on", SEVERITIES)
@pytest.mark.parametrize("severity", SEVERITIES)
def test_a_finding_blocks_at_its_severity_and_below(severity, fail_on):
    decision = admit([finding("I-BASE-5", severity)], fail_on=fail_on, today=TODAY)
    assert decision.admitted == (SEVERITIES.index(severity) > SEVERITIES.index(fail_on))
    assert bool(decision.blocking) != decision.admitted


def test_the_reason_names_the_worst_and_counts_the_others():
    decision = admit([COMPILER, DRIVER, finding("I-BASE-5", "warning")], fail_on="warning", today=TODAY)
    assert decision.reason == "I-BOUNDARY-1: libcuda.so.1 is there, and 2 more findings at or above warning"
    assert admit([COMPILER, DRIVER], today=TODAY).reason == "I-BOUNDARY-1: libcuda.so.1 is there"


def test_what_is_admitted_is_told_with_what_was_found_below():
    assert admit([], today=TODAY).reason == "no findings"
    assert admit([COMPILER], today=TODAY).reason == "1 finding, none at or above error"


def test_a_policy_lets_a_finding_pass_until_its_day():
    before = admit([DRIVER], policy=RULES, today=datetime.date(2026, 11, 30))
    assert before.admitted
    assert before.reason == "no findings; the policy switches 1 off, the first of them until 2026-12-01"
    assert [one.reason for one in before.silenced] == ["ticket 4711"]
    after = admit([DRIVER], policy=RULES, today=datetime.date(2026, 12, 1))
    assert not after.admitted
    assert "expired on 2026-12-01" in " ".join(after.notes)


def test_a_policy_may_be_stricter_than_the_rule():
    assert not admit([COMPILER], policy=RULES, today=TODAY).admitted


def test_a_reason_is_one_line_however_a_strangers_files_are_called():
    cause = "a\n\x1b[31mred\udc80 " + "x" * 5000
    reason = admit([finding("I-BOUNDARY-1", "error", cause)], today=TODAY).reason
    assert reason.isprintable()
    assert len(reason) < 300


def test_an_image_that_was_not_read_as_a_whole_is_not_admitted_where_that_is_told():
    decision = admit([COMPILER], today=TODAY, unread=("layer 2 lies elsewhere\n", "a name leads out"))
    assert not decision.admitted
    assert decision.reason == "the image was not read as a whole: layer 2 lies elsewhere?, and 1 more"
    assert admit([DRIVER], today=TODAY, unread=("layer 2 lies elsewhere",)).reason.startswith("I-BOUNDARY-1: ")
    assert admit([COMPILER], today=TODAY).admitted
