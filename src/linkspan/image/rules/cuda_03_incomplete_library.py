"""A library of CUDA without another one that it needs: it cannot be loaded."""

from collections.abc import Iterator

from linkspan.image.cuda_libraries import is_of_cuda
from linkspan.image.loading import is_own, is_whole, loader
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    if not is_whole(image):
        return
    missing: dict[str, list[str]] = {}
    for entry in image.elves:
        if entry.elf and is_own(entry) and is_of_cuda(entry.name):
            for name in entry.elf.needs:
                if is_of_cuda(name) and not loader(image).is_anywhere(name):
                    missing.setdefault(name, []).append(entry.path)
    for name, paths in sorted(missing.items()):
        yield Broken(
            cause=f"{name} is missing, which {paths[0].rpartition('/')[2]} needs",
            fix=f"install what brings {name}, of the same CUDA version as {paths[0]}",
            paths=tuple(sorted(paths)),
        )


RULE = Rule(
    id="I-CUDA-3",
    title="a CUDA library lacks another one that it needs",
    area="cuda",
    severity="error",
    why="The loader refuses it with 'cannot open shared object file', mostly at the first call, not at the start.",
    look=_look,
)
