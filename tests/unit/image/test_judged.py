import datetime
import json
from xml.etree import ElementTree

import pytest

from linkspan.errors import ConfigError
from linkspan.image import baseline, policy, registry, reports
from linkspan.image.judged import Judged, exit_code, judge
from linkspan.image.model import Image
from linkspan.image.registry import Target
from tests.unit.image import ruled

DAY = datetime.date(2027, 1, 1)


@pytest.fixture(autouse=True)
def _rules(monkeypatch):
    monkeypatch.setattr(registry, "all_rules", lambda: ruled.RULES)


def judged(image: Image, before: Image | None = None) -> Judged:
    known = baseline.of("x", judge(before, today=DAY).findings) if before else None
    kept = baseline.loads(baseline.dumps(known), "b") if known else None
    return judge(image, baseline=kept, today=DAY)


def test_findings_are_told_the_worst_first():
    found = judged(ruled.image("/z.tmp", "/b.bad", "/a.bad", odd="1")).findings
    assert [(one.id, one.paths) for one in found] == [
        ("I-T-1", ("/a.bad",)),
        ("I-T-1", ("/b.bad",)),
        ("I-T-2", ("/z.tmp",)),
        ("I-T-3", ()),
    ]


def test_the_exit_code_is_by_the_worst_new_finding():
    found = judged(ruled.image("/z.tmp"))
    assert [exit_code(found, limit) for limit in ("critical", "error", "warning", "info")] == [0, 0, 1, 1]


def test_what_was_known_before_does_not_count():
    found = judged(ruled.image("/a.bad", "/b.bad", odd="1"), before=ruled.image("/a.bad", odd="1"))
    assert [one.paths for one in found.findings] == [("/b.bad",)]
    assert [one.id for one in found.known] == ["I-T-1", "I-T-3"]
    assert exit_code(judged(ruled.image("/a.bad"), before=ruled.image("/a.bad")), "info") == 0


def test_fewer_files_of_a_known_finding_are_known_and_one_more_is_new():
    before = ruled.image("/a.tmp", "/b.tmp")
    assert judged(ruled.image("/b.tmp"), before).findings == ()
    assert len(judged(ruled.image("/a.tmp", "/b.tmp", "/c.tmp"), before).findings) == 1


def test_a_finding_without_a_path_is_known_by_its_words():
    assert judged(ruled.image(odd="2"), before=ruled.image(odd="1")).known == ()


@pytest.mark.parametrize("data", [b"", b"[]", b'{"rules": 1}', b"\xff", b'{"more": 1}', b'{"format": 2}'])
def test_a_file_that_is_no_baseline_is_refused(data):
    with pytest.raises(ConfigError, match="baseline"):
        baseline.loads(data, "b.json")


def test_the_target_reaches_the_rules():
    found = judge(ruled.image(odd="1"), Target(driver="535"), today=DAY)
    assert found.findings[0].cause == "ODD is 1 on driver 535"


def test_names_that_are_no_text_can_be_reported():
    found = judged(ruled.image("/\udcff\ud800é.bad"))
    assert found.findings[0].paths == ("/\\xff\\ud800é.bad",)
    assert "%5Cxff%5Cud800%C3%A9.bad" in json.dumps(reports.sarif(found))


def test_sarif_tells_place_layer_and_state():
    log = reports.sarif(judged(ruled.image("/my app/b.bad", "/c.bad", odd="1"), before=ruled.image("/c.bad")))
    (run,) = log["runs"]
    first, variable, known = run["results"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["I-T-1", "I-T-2", "I-T-3"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("I-T-1", 0, "error")
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "my%20app/b.bad"
    assert first["locations"][0]["logicalLocations"] == [{"name": "layer 1", "fullyQualifiedName": "sha256:01"}]
    assert variable["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "shop/app%3A1"
    assert (first["baselineState"], known["baselineState"]) == ("new", "unchanged")
    assert first["partialFingerprints"] != known["partialFingerprints"]


def test_sarif_suppresses_what_the_policy_switched_off_and_warns_of_the_policy():
    entry = '[[rule]]\nid = "{}"\nseverity = "off"\nreason = "ours"\nexpires = 2028-01-01\n'
    rules = policy.parse((entry.format("I-T-1") + entry.format("I-T-8")).encode(), "p")
    (run,) = reports.sarif(judge(ruled.image("/a.bad"), policy=rules, today=DAY))["runs"]
    assert run["results"][0]["suppressions"] == [{"kind": "external", "justification": "ours"}]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is True
    assert [one["level"] for one in invocation["toolConfigurationNotifications"]] == ["warning"]


def test_junit_fails_a_rule_by_new_findings_at_or_above_the_limit():
    found = judged(ruled.image("/a.bad", "/b.bad", "/c.tmp", "/d.bad"), before=ruled.image("/d.bad"))
    suite = ElementTree.fromstring(reports.junit(found, "error"))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "0")
    first, second, third = suite
    assert [each.get("message") for each in first.findall("failure")] == ["/a.bad is bad", "/b.bad is bad"]
    assert len(first.findall("system-out")) == 1
    assert [each.tag for each in second] == ["system-out"]
    assert list(third) == []


def test_an_annotation_cannot_be_forged_by_the_name_of_a_file():
    lines = list(reports.github(judged(ruled.image("/x\n::add-path::/evil\r%.bad", "/y.tmp"))))
    assert len(lines) == 2
    assert lines[0].startswith("::error title=I-T-1 a bad file::/x%0A::add-path::/evil%0D%25.bad is bad")
    assert not [line for line in lines if "\n" in line or "\r" in line]
    assert lines[1].startswith("::warning title=I-T-2 ")
