"""A program whose library is in the image, in a folder where the loader does not look."""

from collections.abc import Iterator

from linkspan.image.loading import is_injected, is_own, loader
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    lost: dict[tuple[str, str], list[str]] = {}
    for entry in (one for one in image.elves if one.elf and one.elf.interpreter and is_own(one)):
        for name in entry.elf.needs if entry.elf else ():
            here = image.by_name.get(name, ())
            if here and not is_injected(name) and not loader(image).find(name, entry):
                lost.setdefault((name, here[0].folder), []).append(entry.path)
    for (name, folder), paths in sorted(lost.items()):
        yield Broken(
            cause=f"{paths[0]} needs {name}, which is in {folder}, where the loader does not look",
            fix=f"RUN echo {folder} > /etc/ld.so.conf.d/application.conf && ldconfig",
            paths=tuple(paths),
        )


RULE = Rule(
    id="I-LOADER-2",
    title="a needed library is where the loader does not look",
    area="loader",
    severity="warning",
    why="Unless the start sets LD_LIBRARY_PATH, the program ends with 'cannot open shared object file'.",
    look=_look,
)
