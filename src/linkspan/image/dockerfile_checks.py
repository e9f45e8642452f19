"""The rules on Dockerfiles, and what they say of one."""

import re
from collections.abc import Mapping
from functools import cache

from linkspan.image import stages
from linkspan.image.dockerfile import Dockerfile, Instruction, Text
from linkspan.image.dockerfile_model import DockerfileFinding, DockerfileRule, Fault, Subject
from linkspan.image.dockerfile_rules import base, build, driver, files, loader, stage, variables, weight

_IGNORE = re.compile(r"#\s*linkspan:?\s+ignore=([A-Z0-9,\-]+)")


@cache
def all_rules() -> tuple[DockerfileRule, ...]:
    """Every rule, by area."""
    areas = (driver, base, stage, variables, loader, build, files, weight)
    return tuple(rule for area in areas for rule in area.RULES)


def findings(dockerfile: Dockerfile, arguments: Mapping[str, str] | None = None) -> list[DockerfileFinding]:
    """What all rules say of a Dockerfile, by line; ``arguments`` are those of the build.

    ``# linkspan ignore=DF-USER-1`` on the line before an instruction quietens a rule there; at the top of the file, in
    all of it. Raises FormatError where a builder would not build it, see ``stages``.
    """
    subject = Subject(dockerfile=dockerfile, stages=stages.stages(dockerfile, arguments))
    ignored = _ignored(dockerfile)
    found = [_finding(rule, fault) for rule in all_rules() for fault in rule.look(subject)]
    kept = {one: None for one in found if (one.id, one.line) not in ignored and (one.id, 0) not in ignored}
    return sorted(kept, key=lambda one: (one.line, one.id))


def _finding(rule: DockerfileRule, fault: Fault) -> DockerfileFinding:
    return DockerfileFinding(
        id=rule.id,
        title=rule.title,
        severity=rule.severity,
        line=fault.line,
        cause=fault.cause,
        fix=fault.fix,
        why=rule.why,
    )


def _ignored(dockerfile: Dockerfile) -> frozenset[tuple[str, int]]:
    """The rules that are quiet, each with a line, or with 0 for the whole file."""
    quiet: set[tuple[str, int]] = set()
    waiting: set[str] = set()
    at_top = True
    for piece in dockerfile.pieces:
        if isinstance(piece, Text):
            named = _IGNORE.search(piece.raw)
            waiting = (waiting | set(named[1].split(","))) if named else waiting if piece.kind != "blank" else set()
            if at_top and named:
                quiet |= {(name, 0) for name in named[1].split(",")}
        else:
            quiet |= _of(piece, waiting)
            waiting, at_top = set(), False
    return frozenset(quiet)


def _of(instruction: Instruction, names: set[str]) -> set[tuple[str, int]]:
    return {(name, line) for name in names for line in range(instruction.line, instruction.end + 1)}
