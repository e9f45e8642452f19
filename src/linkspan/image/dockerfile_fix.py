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

_MOST = 300
"""Changes that are tried on one file."""
_MOST_READ = 2 << 20
"""Characters that are read in trying them: each change costs a reading of the file."""


class Mended(Model, frozen=True, kw_only=True):
    """A Dockerfile's text before and after, the faults that are gone, and those that somebody has to think about.

    Lines are those of the text before, in ``left_after`` those of the text after.
    """

    before: str
    after: str
    gone: tuple[DockerfileFinding, ...]
    left: tuple[DockerfileFinding, ...]
    left_after: tuple[DockerfileFinding, ...]

    def diff(self, path: str) -> str:
        """The change as a unified diff that ``patch`` and ``git apply`` read; empty where there is none."""
        before, after = (text.splitlines(keepends=True) for text in (self.before, self.after))
        lines = difflib.unified_diff(before, after, f"a/{path.lstrip('/')}", f"b/{path.lstrip('/')}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def mend(text: str) -> Mended:
    """Mend a Dockerfile. Raises FormatError where a builder would not build it."""
    found = findings(dockerfile.parse(text))
    now, left = _Work(text, found).done()
    gone = _gone(found, left, text, now)
    still = tuple(one for one in found if one not in gone)
    return Mended(before=text, after=now, gone=gone, left=still, left_after=tuple(left))


class _Work:
    """Tries one change after the other, and keeps those that make the file better."""

    def __init__(self, text: str, found: list[DockerfileFinding]) -> None:
        self.text, self.found = text, found
        self.tried: set[tuple[str, str]] = set()
        self.attempts = 0

    def done(self) -> tuple[str, list[DockerfileFinding]]:
        """The text at which nothing more can be mended, and the faults that it has."""
        moved = True
        while moved:
            # What failed may be possible once other faults are gone: all is tried again until nothing moves.
            self.tried.clear()
            moved = False
            while self._step():
                moved = True
        return self.text, self.found

    def _step(self) -> bool:
        read = dockerfile.parse(self.text)
        for finding in self.found:
            instruction = _at(read, finding.line)
            mender = MENDERS.get(finding.id)
            if mender is None or instruction is None or not self._is_new((finding.id, instruction.raw)):
                continue
            changed = mender(read, instruction)
            after = _judged(changed) if changed is not None and changed != self.text else None
            if changed is not None and after is not None and _is_better(self.found, after, finding.id):
                self.text, self.found = changed, after
                self.tried.discard((finding.id, instruction.raw))
                return True
        return False

    def _is_new(self, key: tuple[str, str]) -> bool:
        if key in self.tried or self.attempts >= min(_MOST, _MOST_READ // (len(self.text) + 1) + 1):
            return False
        self.tried.add(key)
        self.attempts += 1
        return True


def _gone(
    before: list[DockerfileFinding], after: list[DockerfileFinding], old: str, new: str
) -> tuple[DockerfileFinding, ...]:
    """The faults that are no longer there.

    Those that are left are found again by their cause and the text of their line, else by their cause, else by their
    id: of several that are alike, the one whose line is still there was not mended.
    """
    gone = [(one, _keys(one, old)) for one in before]
    left = [_keys(one, new) for one in after]
    for number in range(3):
        rest = Counter(keys[number] for keys in left)
        missed = []
        for one, keys in gone:
            if rest[keys[number]]:
                rest[keys[number]] -= 1
            else:
                missed.append((one, keys))
        gone, left = missed, _without(left, number, rest)
    return tuple(one for one, _ in gone)


def _keys(one: DockerfileFinding, text: str) -> tuple[object, ...]:
    """What tells a fault, the most exact first."""
    lines = text.splitlines()
    line = lines[one.line - 1].strip() if 0 < one.line <= len(lines) else ""
    return (one.id, one.cause, line), (one.id, one.cause), one.id


def _without(left: list[tuple[object, ...]], number: int, rest: "Counter[object]") -> list[tuple[object, ...]]:
    """Those that were not found again: so many of each key as ``rest`` says."""
    kept = []
    for keys in left:
        if rest[keys[number]] > 0:
            rest[keys[number]] -= 1
            kept.append(keys)
    return kept


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
