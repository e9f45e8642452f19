"""How rules are tested: each with an image that breaks it, and with one that looks alike and does not."""

from typing import NamedTuple

from linkspan.image.model import Image
from linkspan.image.registry import Finding, Target, all_rules, findings

NOWHERE = Target()


class Case(NamedTuple):
    """A rule, an image that breaks it, and one that looks alike and does not; where they are to run, if that counts.

    ``other_target`` is that of the sound image, where the target makes the difference.
    """

    rule: str
    broken: Image
    sound: Image
    target: Target = NOWHERE
    other_target: Target | None = None


def ask(rule: str, image: Image, target: Target = NOWHERE) -> list[Finding]:
    """What one rule says of an image; all of them are asked, and none may fail on it."""
    return [finding for finding in findings(image, target) if finding.id == rule]


def ids(area: str = "") -> set[str]:
    """The ids of an area's rules, or of all."""
    return {rule.id for rule in all_rules() if area in ("", rule.area)}


def judge(case: Case) -> None:
    """Fail unless the rule tells the one image from the other, and says of the broken one where and what to do."""
    found = ask(case.rule, case.broken, case.target)
    assert found
    assert all(one.cause and one.fix for one in found)
    there = {*case.broken.entries, *(one.path for one in case.broken.hidden)}
    assert there.issuperset(path for one in found for path in one.paths)
    assert ask(case.rule, case.sound, case.other_target or case.target) == []
