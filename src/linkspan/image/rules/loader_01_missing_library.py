"""A library that a program or module needs, and no file of the image nor the driver brings."""

from collections.abc import Iterator

from linkspan.image.loading import is_injected, is_own, is_whole, loader
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.rules.cuda_03_incomplete_library import is_of_cuda

_OPTIONAL = "/lib-dynload/"
"""Python's own modules for tkinter and the like, which slim images leave without their libraries on purpose."""


def _look(image: Image, _: Target) -> Iterator[Broken]:
    missing: dict[str, list[Entry]] = {}
    for entry in (one for one in image.elves if is_whole(image) and is_own(one) and _OPTIONAL not in one.path):
        for name in entry.elf.needs if entry.elf else ():
            # Libraries of CUDA that lack one another are another rule's.
            is_told = is_of_cuda(name) and is_of_cuda(entry.name)
            if not is_told and not is_injected(name) and not loader(image).is_anywhere(name):
                missing.setdefault(name, []).append(entry)
    for name, entries in sorted(missing.items()):
        runs = any(one.elf and one.elf.interpreter for one in entries)
        yield Broken(
            cause=f"{name} is not in the image, and {entries[0].path} needs it",
            fix=f"install the package that brings {name}, in the last stage of the build, too",
            paths=tuple(one.path for one in entries),
            severity="error" if runs or is_of_cuda(name) else None,
        )


RULE = Rule(
    id="I-LOADER-1",
    title="a needed library is not in the image",
    area="loader",
    severity="warning",
    why="The loader ends the program with 'cannot open shared object file: No such file or directory'.",
    look=_look,
)
