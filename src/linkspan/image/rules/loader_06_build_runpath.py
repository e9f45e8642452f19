"""A path to a build folder in a library: the loader looks into a folder that no image of this kind has."""

import re
from collections.abc import Iterator

from linkspan.image.loading import is_own
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_ANYBODYS = re.compile(r"/(tmp|var/tmp|dev/shm)(/|$)")
_BUILD = re.compile(
    r"/(tmp|var/tmp|build|builds|home|root|workspace|github|src|Users)(/|$)|/(build|_build|cmake-build\w*)(/|$)"
)


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found: dict[str, list[Entry]] = {}
    for entry in filter(is_own, image.elves):
        # What is meant relative to the file ($ORIGIN) moves with it.
        for folder in (entry.elf.runpath if entry.elf else "").split(":"):
            is_there = image.resolve(folder) is not None or f"{entry.folder}/".startswith(f"{folder}/")
            if folder.startswith("/") and (_ANYBODYS.match(folder) or (_BUILD.match(folder) and not is_there)):
                found.setdefault(folder, []).append(entry)
    for folder, entries in sorted(found.items()):
        yield Broken(
            cause=f"{entries[0].path} looks for its libraries in {folder}, where it was built",
            fix=f"patchelf --set-rpath '$ORIGIN' {entries[0].path}, or -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON",
            paths=tuple(one.path for one in entries),
            severity="warning" if _ANYBODYS.match(folder) else None,
        )


RULE = Rule(
    id="I-LOADER-6",
    title="a library looks into a build folder",
    area="loader",
    severity="info",
    why="What was found there at build time is missing here; and of a folder like /tmp anybody can feed it a library.",
    look=_look,
)
