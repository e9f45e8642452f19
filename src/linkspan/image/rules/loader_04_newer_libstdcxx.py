"""Programs that ask for a newer C++ library than the one that they get."""

import re
from collections.abc import Iterator

from linkspan.image.loading import is_own, loader
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_LIBRARY = "libstdc++.so.6"
_FILE = re.compile(r"libstdc\+\+\.so\.6\.0\.(\d{1,3})")
_SYMBOL = re.compile(r"GLIBCXX_3\.4\.(\d{1,3})")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found: dict[str, tuple[int, list[Entry]]] = {}
    for entry in (one for one in image.elves if is_own(one) and one.elf and _LIBRARY in one.elf.needs):
        there = loader(image).find(_LIBRARY, entry)
        number = _FILE.fullmatch(there.name) if there else None
        wanted = _newest(entry)
        if there and number and wanted > int(number[1]):
            most, entries = found.get(there.path, (0, []))
            found[there.path] = (max(most, wanted), [*entries, entry])
    for path, (wanted, entries) in sorted(found.items()):
        yield Broken(
            cause=f"{entries[0].path} asks for GLIBCXX_3.4.{wanted}, which {path} does not have",
            fix="build in a stage of the same distribution as the last one, or install a newer libstdc++6",
            paths=(*(one.path for one in entries), path),
        )


def _newest(entry: Entry) -> int:
    """The last number of the newest GLIBCXX version; libstdc++.so.6.0.30 is the one that brought GLIBCXX_3.4.30."""
    names = entry.elf.versions.get(_LIBRARY, ()) if entry.elf else ()
    return max((int(match[1]) for name in names if (match := _SYMBOL.fullmatch(name))), default=0)


RULE = Rule(
    id="I-LOADER-4",
    title="built for a newer C++ library than the image has",
    area="loader",
    severity="error",
    why="The loader refuses it: version 'GLIBCXX_3.4.32' not found.",
    look=_look,
)
