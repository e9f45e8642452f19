"""Whether an image may run in a cluster: by what was found in it, how bad that may be, and what was agreed until when.

A decision is a function of its arguments alone: findings may be kept, and judged anew each day.
"""

import datetime
from collections.abc import Iterable, Sequence

from linkspan.check.model import Severity
from linkspan.facts.model import Model
from linkspan.image.judged import Silenced, fails, sift
from linkspan.image.policy import Policy
from linkspan.image.registry import Finding
from linkspan.plan.wording import plural

_LONGEST = 240
"""Characters of a finding's cause in a reason: it ends up in the events of a cluster."""


class Admission(Model, frozen=True, kw_only=True, omit_defaults=False):
    """A decision, and its reason in one sentence.

    ``blocking`` are the findings at or above ``fail_on`` after the policy, the worst first; ``silenced`` what the
    policy switched off; ``notes`` what is wrong with the policy, such as entries that have expired.
    """

    admitted: bool
    reason: str
    fail_on: Severity
    blocking: tuple[Finding, ...] = ()
    silenced: tuple[Silenced, ...] = ()
    notes: tuple[str, ...] = ()


def admit(
    findings: Iterable[Finding],
    *,
    fail_on: Severity = "error",
    policy: Policy | None = None,
    today: datetime.date,
    unread: Sequence[str] = (),
) -> Admission:
    """Admit an image unless one of its findings is at or above a severity once the policy of that day has spoken.

    Of what was left ``unread`` no finding speaks: an image with such sentences is not admitted, whatever was found.
    """
    judged = sift("", findings, policy, today=today)
    blocking = tuple(one for one in judged.findings if fails(one, fail_on))
    below = len(judged.findings) - len(blocking)
    return Admission(
        admitted=not blocking and not unread,
        reason=_refused(blocking, fail_on) or _unread(unread) or _admitted(below, judged.silenced, fail_on),
        fail_on=fail_on,
        blocking=blocking,
        silenced=judged.silenced,
        notes=judged.notes,
    )


def _refused(blocking: Sequence[Finding], fail_on: Severity) -> str:
    if not blocking:
        return ""
    first, more = blocking[0], len(blocking) - 1
    rest = f", and {plural(more, 'more finding')} at or above {fail_on}" if more else ""
    return f"{first.id}: {_line(first.cause)}{rest}"


def _unread(unread: Sequence[str]) -> str:
    if not unread:
        return ""
    rest = f", and {len(unread) - 1} more" if len(unread) > 1 else ""
    return f"the image was not read as a whole: {_line(unread[0])}{rest}"


def _admitted(below: int, silenced: Sequence[Silenced], fail_on: Severity) -> str:
    found = f"{plural(below, 'finding')}, none at or above {fail_on}" if below else "no findings"
    if not silenced:
        return found
    first = min(one.expires for one in silenced)
    return f"{found}; the policy switches {len(silenced)} off, the first of them until {first}"


def _line(text: str) -> str:
    """A text that names files of a stranger's image, on one line and not too long."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
