import datetime

import pytest

from linkspan.errors import ConfigError
from linkspan.image import policy, registry
from linkspan.image.judged import judge
from tests.unit.image import ruled

DAY = datetime.date(2027, 1, 1)
ENTRY = """\
[[rule]]
id = "I-T-1"
severity = "off"
reason = "the vendor needs it"
expires = 2027-06-01
"""


@pytest.fixture(autouse=True)
def _rules(monkeypatch):
    monkeypatch.setattr(registry, "all_rules", lambda: ruled.RULES)


def judged(text: str, *paths: str, day: datetime.date = DAY):
    return judge(ruled.image(*paths), policy=policy.parse(text.encode(), "p.toml"), today=day)


def test_a_rule_that_is_off_is_told_apart_with_its_reason():
    found = judged(ENTRY, "/a.bad", "/b.tmp")
    assert [one.id for one in found.findings] == ["I-T-2"]
    assert [(each.finding.id, each.reason, each.expires) for each in found.silenced] == [
        ("I-T-1", "the vendor needs it", "2027-06-01")
    ]


def test_a_severity_can_be_changed():
    found = judged(ENTRY.replace('"off"', '"critical"'), "/a.bad")
    assert [(one.id, one.severity) for one in found.findings] == [("I-T-1", "critical")]


def test_an_entry_for_paths_leaves_other_paths_alone():
    found = judged(f'{ENTRY}paths = ["/opt/*"]\n', "/opt/x/a.bad", "/usr/b.bad")
    assert [one.paths for one in found.findings] == [("/usr/b.bad",)]
    assert len(found.silenced) == 1


def test_a_finding_of_which_only_some_paths_match_stands():
    text = f'{ENTRY.replace("I-T-1", "I-T-2")}paths = ["/opt/*"]\n'
    assert [one.id for one in judged(text, "/opt/a.tmp", "/usr/b.tmp").findings] == ["I-T-2"]
    assert judged(text, "/opt/a.tmp", "/opt/b.tmp").findings == ()


def test_the_first_entry_that_is_about_a_finding_counts():
    second = ENTRY.replace('"off"', '"critical"')
    assert judged(f'{ENTRY}paths = ["/opt/*"]\n{second}', "/a.bad").findings[0].severity == "critical"
    assert judged(ENTRY + second, "/a.bad").findings == ()


def test_an_entry_counts_until_the_day_before_it_expires_and_then_is_told():
    before = judged(ENTRY, "/a.bad", day=datetime.date(2027, 5, 31))
    after = judged(ENTRY, "/a.bad", day=datetime.date(2027, 6, 1))
    assert (before.findings, before.notes) == ((), ())
    assert [one.id for one in after.findings] == ["I-T-1"]
    assert after.notes == ("p.toml:1: the entry for I-T-1 expired on 2027-06-01, so the rule counts again",)


def test_an_entry_of_a_rule_that_there_is_not_is_told():
    found = judged(f"\n# mine\n{ENTRY.replace('I-T-1', 'I-T-9')}", "/a.bad")
    assert found.notes == ("p.toml:3: there is no rule I-T-9, so this entry does nothing",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule]\n", "p.toml:1: expected"),
        (f"{ENTRY}\nreason = 'again'\n", "p.toml:7: cannot overwrite a value"),
        ("x = 1\n", "p.toml:1: object contains unknown field 'x'"),
        (f"{ENTRY}why = 'x'\n", "p.toml:6: object contains unknown field 'why'"),
        (f"{ENTRY}{ENTRY.replace('reason', 'reasons')}", "p.toml:9: object contains unknown field 'reasons'"),
        (ENTRY.replace("reason =", "# reason ="), "p.toml:1: object missing required field 'reason'"),
        (ENTRY.replace('"off"', '"of"'), "p.toml:3: severity: invalid enum value 'of'"),
        (ENTRY.replace("2027-06-01", "'soon'"), "p.toml:5: expires: "),
        (ENTRY.replace("2027-06-01", "2027-06-01T00:00:00Z"), "p.toml:5: expires: "),
        (ENTRY.replace("the vendor needs it", " "), "p.toml:4: reason is empty"),
        (f'{ENTRY}paths = ["opt/*"]\n', "p.toml:6: the path 'opt/*' begins with neither"),
        (f"{ENTRY}paths = [1]\n", "p.toml:6: paths: expected 'str', got 'int'"),
        ("rule = 1\n", "p.toml:1: rule has to be [[rule]]: expected 'array', got 'int'"),
        ("[rule]\nid = 'x'\n", "p.toml:1: rule has to be [[rule]]: expected 'array', got 'object'"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_its_line(text, message):
    with pytest.raises(ConfigError) as caught:
        policy.parse(text.encode(), "p.toml")
    assert message in caught.value.message


def test_bytes_that_are_no_text_are_refused_with_their_line():
    with pytest.raises(ConfigError, match=r"p.toml:2: byte 0xff is not UTF-8"):
        policy.parse(b"# a\n# \xff\n", "p.toml")


def test_an_empty_policy_changes_nothing():
    assert len(judged("", "/a.bad").findings) == 1
