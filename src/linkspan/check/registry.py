"""The rules: found by their files, so that a new rule is one new file."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from linkspan.check import rules
from linkspan.check.catalogue import all_modes
from linkspan.check.model import Finding, Found, Horizon, Link, Severity
from linkspan.check.scene import Scene


class Rule(NamedTuple):
    """A rule: the failure mode that it looks for, the link that breaks, and how bad that is.

    ``look`` yields each place where it is broken; a scene in which the rule has nothing to say yields nothing. What the
    failure is called, what users see of it and why it happens stands in the catalogue under its ``id``.
    """

    id: str
    link: Link
    severity: Severity
    look: Callable[[Scene], Iterator[Found]]
    horizon: Horizon = "now"


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the files' names."""
    names = sorted(module.name for module in pkgutil.iter_modules(rules.__path__))
    return tuple(importlib.import_module(f"{rules.__name__}.{name}").RULE for name in names)


def findings(rule: Rule, scene: Scene) -> Iterator[Finding]:
    """What a rule finds, with what the catalogue knows of it."""
    for found in rule.look(scene):
        yield finding(rule, found)


def finding(rule: Rule, found: Found) -> Finding:
    """A found fault as it is reported."""
    mode = all_modes()[rule.id]
    return Finding(
        id=rule.id,
        title=mode.title,
        link=found.link or rule.link,
        severity=found.severity or rule.severity,
        horizon=found.horizon or rule.horizon,
        cause=found.cause,
        symptoms=mode.symptoms,
        why=mode.why,
        evidence=found.evidence,
        remedy=found.remedy,
        about=found.about,
        links=mode.links,
    )
