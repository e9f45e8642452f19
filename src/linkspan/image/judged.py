"""What a check of an image comes to: what counts, what was known before, what the policy switched off."""

import datetime
import re
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from linkspan.check.model import Severity
from linkspan.facts.model import Model
from linkspan.image.baseline import Baseline
from linkspan.image.model import Image
from linkspan.image.parts import Part
from linkspan.image.policy import Policy, Setting
from linkspan.image.registry import Finding, Target, findings
from linkspan.image.runs import Verdict, runs
from linkspan.image.stack import stack

CLEAN, FOUND, USAGE, COULD_NOT_READ = 0, 1, 2, 3
"""Exit codes of the check."""

TITLES: dict[Severity, str] = {
    "critical": "Critical",
    "error": "Errors",
    "warning": "Warnings",
    "info": "Worth knowing",
}
"""The severities from the worst on, and what findings of each are headed with."""
SEVERITIES = tuple(TITLES)

_HALF = re.compile("[\ud800-\udfff]")


class Silenced(Model, frozen=True, kw_only=True):
    """A finding that the policy switched off, why, and until when (ISO 8601)."""

    finding: Finding
    reason: str
    expires: str


class Judged(Model, frozen=True, kw_only=True, omit_defaults=False):
    """A check. ``findings`` are new, ``known`` stand in the baseline; both the worst first.

    ``source`` is an image, or a Dockerfile. ``runs`` says whether the image's CUDA runs on the target, if there is one,
    ``parts`` which CUDA and which frameworks the image holds.
    ``notes`` say what is wrong with the policy, ``refused`` what was left out
    of the image as it was read.
    """

    source: str
    is_dockerfile: bool = False
    target: Target = Target()
    runs: Verdict | None = None
    parts: tuple[Part, ...] = ()
    findings: tuple[Finding, ...] = ()
    known: tuple[Finding, ...] = ()
    silenced: tuple[Silenced, ...] = ()
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def judge(
    image: Image,
    target: Target | None = None,
    policy: Policy | None = None,
    baseline: Baseline | None = None,
    *,
    today: datetime.date,
) -> Judged:
    """What all rules say of an image, after the policy, and apart from what the baseline knows."""
    where = target or Target()
    found = sift(image.source, findings(image, where), policy, baseline, today=today)
    verdict = runs(image, where) if where.driver or where.gpus else None
    parts = tuple(map(_part, stack(image).parts))
    return replace(found, target=where, runs=verdict, parts=parts, refused=tuple(map(legible, image.refused)))


def _part(one: Part) -> Part:
    return replace(one, name=legible(one.name), version=legible(one.version), path=legible(one.path))


def sift(
    source: str,
    found: Iterable[Finding],
    policy: Policy | None = None,
    baseline: Baseline | None = None,
    *,
    today: datetime.date,
) -> Judged:
    """Findings after the policy, and apart from what the baseline knows."""
    rules, before = policy or Policy(), baseline or Baseline()
    kept, silenced = _ruled(map(_legible, found), rules.in_force(today))
    return Judged(
        source=legible(source),
        findings=in_order(one for one in kept if not before.knows(one)),
        known=in_order(one for one in kept if before.knows(one)),
        silenced=tuple(silenced),
        notes=rules.notes(today),
    )


def legible(text: str) -> str:
    """A text of an image as UTF-8 can hold it: bytes that were none are written out, as Python writes them."""
    return text if text.isascii() else _HALF.sub(_written, text)


def _written(match: re.Match[str]) -> str:
    code = ord(match[0])
    # What surrogateescape makes of a byte (PEP 383) is written as that byte.
    return f"\\x{code & 0xFF:02x}" if code in range(0xDC80, 0xDD00) else f"\\u{code:04x}"


def _legible(one: Finding) -> Finding:
    return replace(
        one,
        cause=legible(one.cause),
        fix=legible(one.fix),
        paths=tuple(map(legible, one.paths)),
        layer_command=legible(one.layer_command),
        file=legible(one.file),
    )


def _ruled(found: Iterable[Finding], settings: Sequence[Setting]) -> tuple[list[Finding], list[Silenced]]:
    kept: list[Finding] = []
    silenced: list[Silenced] = []
    for one in found:
        setting = next((setting for setting in settings if setting.is_about(one)), None)
        if setting is None:
            kept.append(one)
        elif setting.severity == "off":
            silenced.append(Silenced(finding=one, reason=setting.reason, expires=setting.expires.isoformat()))
        else:
            kept.append(replace(one, severity=setting.severity))
    return kept, silenced


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The worst first, then by rule, then by layer."""
    return tuple(
        sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.id, one.layer or 0, one.line, one.paths))
    )


def fails(one: Finding, fail_on: Severity) -> bool:
    """Whether a finding is at or above a severity."""
    return SEVERITIES.index(one.severity) <= SEVERITIES.index(fail_on)


def exit_code(judged: Judged, fail_on: Severity) -> int:
    """1 where a new finding is at or above a severity, else 0."""
    return FOUND if any(fails(one, fail_on) for one in judged.findings) else CLEAN
