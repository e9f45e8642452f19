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
        for folder in _folders(entry):
            is_there = image.resolve(folder) is not None or f"{entry.folder}/".startswith(f"{folder}/")
            # What a wheel kept of its own build is nobody's to mend; a folder that anybody writes to is a danger.
            is_build = _BUILD.match(folder) and not is_there and "-packages/" not in entry.path
            if folder.startswith("/") and (_ANYBODYS.match(folder) or is_build):
                found.setdefault(folder, []).append(entry)
    for folder, entries in sorted(found.items()):
        yield Broken(
            cause=f"{entries[0].path} looks for its libraries in {folder}, where it was built",
            fix=f"patchelf --set-rpath '$ORIGIN' {entries[0].path}, or -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON",
            paths=tuple(one.path for one in entries),
            severity="warning" if _ANYBODYS.match(folder) else None,
        )


def _folders(entry: Entry) -> list[str]:
    return f"{entry.elf.rpath}:{entry.elf.runpath}".split(":") if entry.elf else []


RULE = Rule(
    id="I-LOADER-6",
    title="a library looks into a build folder",
    area="loader",
    severity="info",
    why="What was found there at build time is missing here; and of a folder like /tmp anybody can feed it a library.",
    look=_look,
)
