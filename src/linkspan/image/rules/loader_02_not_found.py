"""A program whose library is in the image, in a folder where the loader does not look."""

from collections.abc import Iterator

from linkspan.image.layers import listed
from linkspan.image.loading import is_own, loader
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = loader(image)
    lost: dict[str, dict[str, list[Entry]]] = {}
    for program in filter(_is_started, image.elves):
        for name, by in found.lost(program) if found.may_lose(program) else ():
            there = next(iter(found.called.get(name, ())), None)
            if there:
                lost.setdefault(there.folder, {}).setdefault(name, []).extend((by, program))
    for folder, names in sorted(lost.items()):
        first = next(iter(names.values()))[0]
        them = "it is" if len(names) == 1 else "they are"
        yield Broken(
            cause=f"{first.path} needs {listed(names)}, and {them} in {folder}, where the loader does not look",
            fix=f"RUN echo {folder} > /etc/ld.so.conf.d/application.conf && ldconfig",
            paths=tuple(dict.fromkeys(one.path for entries in names.values() for one in entries)),
        )


def _is_started(one: Entry) -> bool:
    """True for programs; those in a package of Python's are started by it, which says where their libraries are."""
    return (
        bool(one.elf and one.elf.interpreter) and ".so" not in one.name and is_own(one) and "-packages/" not in one.path
    )


RULE = Rule(
    id="I-LOADER-2",
    title="a needed library is where the loader does not look",
    area="loader",
    severity="warning",
    why="Unless the start sets LD_LIBRARY_PATH, the program ends with 'cannot open shared object file'.",
    look=_look,
)
