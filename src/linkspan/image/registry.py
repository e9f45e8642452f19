"""The rules of the image checker, and a finding as it is reported."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from typing import Literal, NamedTuple

from linkspan.check.model import Severity
from linkspan.facts.model import Model
from linkspan.image import rules
from linkspan.image.model import Entry, Image
from linkspan.image.purpose import purpose
from linkspan.image.secrets import masked

_OF_HOSTS = "I-BOUNDARY-19"
"""The rule that says in one finding what the others of its area are not asked for."""
Area = Literal["boundary", "variables", "weight", "cuda", "framework", "loader", "base", "target", "dockerfile"]


class Target(Model, frozen=True, kw_only=True):
    """Where the image is to run, as far as it is known: a driver's version, GPUs by name and compute capability."""

    driver: str = ""
    gpus: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


class Broken(Model, frozen=True, kw_only=True):
    """What a rule yields: the cause in one sentence, where, and the exact fix (a line of a Dockerfile, mostly).

    ``paths`` are the entries that it is about, the telling ones first; ``bytes`` what the fix saves.
    """

    cause: str
    fix: str
    paths: tuple[str, ...] = ()
    layer: int | None = None
    bytes: int = 0
    severity: Severity | None = None


class Rule(NamedTuple):
    """A rule: a stable id (``I-BOUNDARY-1``), what it is about in a few words, why that matters, and the look itself.

    ``look`` is given the image and, for rules of the area ``target``, where it is to run; it yields each fault.
    """

    id: str
    title: str
    area: Area
    severity: Severity
    why: str
    look: Callable[[Image, Target], Iterator[Broken]]


class Finding(Model, frozen=True, kw_only=True):
    """A fault as it is reported, with the layer that brought it and that layer's command, its secrets masked.

    One of a Dockerfile has ``file`` and ``line`` (from 1) instead of paths in the image.
    """

    id: str
    title: str
    area: Area
    severity: Severity
    why: str
    cause: str
    fix: str
    paths: tuple[str, ...] = ()
    bytes: int = 0
    layer: int | None = None
    layer_digest: str = ""
    layer_command: str = ""
    file: str = ""
    line: int = 0


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the files' names."""
    names = sorted(module.name for module in pkgutil.iter_modules(rules.__path__))
    return tuple(importlib.import_module(f"{rules.__name__}.{name}").RULE for name in names)


def findings(image: Image, target: Target | None = None) -> list[Finding]:
    """What all rules say of an image; those on what belongs to the host are not for images that bring that to it."""
    where = target or Target()
    is_of_hosts = purpose(image) is not None
    rules = (rule for rule in all_rules() if not is_of_hosts or rule.area != "boundary" or rule.id == _OF_HOSTS)
    return [_finding(image, rule, broken) for rule in rules for broken in rule.look(image, where)]


def _finding(image: Image, rule: Rule, broken: Broken) -> Finding:
    number = broken.layer if broken.layer is not None else _layer_of(image, broken.paths)
    layer = None if number is None else image.layer(number)
    return Finding(
        id=rule.id,
        title=rule.title,
        area=rule.area,
        severity=broken.severity or rule.severity,
        why=rule.why,
        cause=broken.cause,
        fix=broken.fix,
        paths=broken.paths,
        bytes=broken.bytes,
        layer=number,
        layer_digest=layer.digest if layer else "",
        layer_command=masked(layer.command) if layer else "",
    )


def _layer_of(image: Image, paths: tuple[str, ...]) -> int | None:
    found: list[Entry] = [entry for path in paths if (entry := image.get(path))]
    return found[0].layer if found else None
