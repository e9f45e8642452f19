"""A distribution without security updates."""

from collections.abc import Iterator

from linkspan.image.bases import end_of_support, release
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = release(image)
    if end := end_of_support(found):
        yield Broken(
            cause=f"the image is built on {found.title or f'{found.id} {found.version}'}, whose support ended in {end}",
            fix="FROM the same image on a newer release, such as …-ubuntu24.04, and build again",
            paths=tuple(path for path in ("/etc/os-release", "/usr/lib/os-release") if image.get(path)),
        )


RULE = Rule(
    id="I-BASE-4",
    title="a distribution at its end of life",
    area="base",
    severity="warning",
    why="Faults in its libraries are no longer mended, and its repositories move away, so that a rebuild fails.",
    look=_look,
)
