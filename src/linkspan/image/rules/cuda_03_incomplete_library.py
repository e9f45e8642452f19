"""A library of CUDA without another one that it needs: it cannot be loaded."""

import re
from collections.abc import Iterator

from linkspan.image.loading import is_own, is_whole, loader
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_CUDA = re.compile(r"lib(cu[a-zA-Z]+|nv[a-zA-Z]+|npp[a-z]*|nccl|cudnn\w*)(-[0-9a-f]{8})?\.so(\.[\d.]+)?")
_NOT_OURS = re.compile(r"libnvidia-|libcuda\.|libcurl|libcups|libcunit|libnvpair")


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


def is_of_cuda(name: str) -> bool:
    """True for a library of CUDA, cuDNN or NCCL by its name."""
    return bool(_CUDA.fullmatch(name)) and not _NOT_OURS.match(name)


RULE = Rule(
    id="I-CUDA-3",
    title="a CUDA library lacks another one that it needs",
    area="cuda",
    severity="error",
    why="The loader refuses it with 'cannot open shared object file', mostly at the first call, not at the start.",
    look=_look,
)
