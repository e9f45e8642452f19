"""Programs that were built on a newer distribution than the image's: its libc lacks what they ask for."""

import re
from collections.abc import Iterator

from linkspan.formats import versions
from linkspan.image.libc import glibc
from linkspan.image.loading import is_own
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_SYMBOL = re.compile(r"GLIBC_(\d+\.\d+(?:\.\d+)?)")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    there = versions.parse(glibc(image))
    if not there:
        return
    newer: dict[tuple[int, ...], list[Entry]] = {}
    for entry in filter(is_own, image.elves):
        wanted = _newest(entry)
        if wanted > there:
            newer.setdefault(wanted, []).append(entry)
    if newer:
        most = max(newer)
        entries = [one for wanted in sorted(newer, reverse=True) for one in newer[wanted]]
        yield Broken(
            cause=f"{entries[0].path} asks for GLIBC_{'.'.join(map(str, most))}, and the image has {glibc(image)}",
            fix="build in a stage of the same distribution as the last one, or move the last one to a newer release",
            paths=tuple(one.path for one in entries),
        )


def _newest(entry: Entry) -> tuple[int, ...]:
    words = (word for names in (entry.elf.versions if entry.elf else {}).values() for word in names)
    found = (versions.parse(match[1]) for word in words if (match := _SYMBOL.fullmatch(word)))
    return max(filter(None, found), default=())


RULE = Rule(
    id="I-LOADER-3",
    title="built for a newer libc than the image has",
    area="loader",
    severity="error",
    why="The loader refuses it: version 'GLIBC_2.34' not found. It mostly comes of copying between unlike stages.",
    look=_look,
)
