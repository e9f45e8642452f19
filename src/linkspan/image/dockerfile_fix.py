"""What of a Dockerfile's faults can be mended by text alone, mended; every change is judged anew before it is kept."""

import difflib
from collections import Counter

from linkspan.errors import FormatError
from linkspan.facts.model import Model
from linkspan.image import dockerfile
from linkspan.image.dockerfile import Dockerfile, Instruction
from linkspan.image.dockerfile_checks import findings
from linkspan.image.dockerfile_mend import MENDERS
from linkspan.image.dockerfile_model import DockerfileFinding

_MOST = 200
"""Changes of one file; each costs a reading of it."""


class Mended(Model, frozen=True, kw_only=True):
    """A Dockerfile's text before and after, the faults that are gone, and those that somebody has to think about."""

    before: str
    after: str
    gone: tuple[DockerfileFinding, ...]
    left: tuple[DockerfileFinding, ...]

    def diff(self, path: str) -> str:
        """The change as a unified diff that ``patch`` and ``git apply`` read; empty where there is none."""
        before, after = (text.splitlines(keepends=True) for text in (self.before, self.after))
        lines = difflib.unified_diff(before, after, f"a/{path.lstrip('/')}", f"b/{path.lstrip('/')}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def mend(text: str) -> Mended:
    """Mend a Dockerfile. Raises FormatError where a builder would not build it."""
    found = findings(dockerfile.parse(text))
    gone: list[DockerfileFinding] = []
    tried: set[tuple[str, str]] = set()
    now, left = text, found
    while len(tried) < _MOST and (step := _next(now, left, tried)):
        finding, now, left = step
        gone.append(finding)
    return Mended(before=text, after=now, gone=tuple(gone), left=tuple(left))


def _next(
    text: str, found: list[DockerfileFinding], tried: set[tuple[str, str]]
) -> tuple[DockerfileFinding, str, list[DockerfileFinding]] | None:
    """The first fault that can be mended, with the text and the faults after that; None where there is none."""
    read = dockerfile.parse(text)
    for finding in found:
        instruction = _at(read, finding.line)
        mender = MENDERS.get(finding.id)
        key = (finding.id, instruction.raw if instruction else "")
        if mender is None or instruction is None or key in tried or len(tried) >= _MOST:
            continue
        tried.add(key)
        changed = mender(read, instruction)
        after = _judged(changed) if changed is not None and changed != text else None
        if changed is not None and after is not None and _is_better(found, after, finding.id):
            return finding, changed, after
    return None


def _at(read: Dockerfile, line: int) -> Instruction | None:
    return next((one for one in read.instructions if one.line <= line <= one.end), None)


def _judged(text: str) -> list[DockerfileFinding] | None:
    try:
        return findings(dockerfile.parse(text))
    except FormatError:
        return None


def _is_better(before: list[DockerfileFinding], after: list[DockerfileFinding], name: str) -> bool:
    """Whether there is less of one fault, and no more of any other."""
    old, new = (Counter(one.id for one in found) for found in (before, after))
    return new[name] < old[name] and all(new[one] <= old[one] for one in new)
