"""How the rules of an area are tested: each with images that break it, and with near misses that do not."""

from typing import NamedTuple

from linkspan.image.model import Image
from linkspan.image.registry import Finding, all_rules, findings


class Case(NamedTuple):
    """A rule, an image that breaks it, and one that looks alike and does not."""

    rule: str
    broken: Image
    sound: Image


def of(image: Image, rule: str) -> list[Finding]:
    """What one rule says of an image."""
    return [finding for finding in findings(image) if finding.id == rule]


def ids(area: str) -> set[str]:
    """The ids of an area's rules."""
    return {rule.id for rule in all_rules() if rule.area == area}
