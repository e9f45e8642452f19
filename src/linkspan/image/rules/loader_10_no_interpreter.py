"""A program whose loader is not in the image: built for glibc and copied to musl, or the other way around."""

from collections.abc import Iterator

from linkspan.image.loading import is_own, is_whole
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    wanting: dict[str, list[str]] = {}
    for entry in (one for one in image.elves if is_whole(image) and is_own(one)):
        name = entry.elf.interpreter if entry.elf else ""
        if name and image.resolve(name) is None:
            wanting.setdefault(name, []).append(entry.path)
    for name, paths in sorted(wanting.items()):
        yield Broken(
            cause=f"{paths[0]} is started by {name}, which the image does not have",
            fix="build in a stage of the same libc as the last one; on Alpine, use a base with glibc instead",
            paths=tuple(paths),
        )


RULE = Rule(
    id="I-LOADER-10",
    title="a program's loader is not in the image",
    area="loader",
    severity="error",
    why="The kernel says 'no such file or directory' of a program that is there, which sends people looking elsewhere.",
    look=_look,
)
