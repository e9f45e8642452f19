"""CUDA in an image with musl: NVIDIA's libraries are built for glibc alone."""

from collections.abc import Iterator

from linkspan.image.cuda_libraries import is_of_cuda
from linkspan.image.loading import loader
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    if not loader(image).is_musl:
        return
    found = [one for one in image.elves if is_of_cuda(one.name) and one.elf and "libc.so.6" in one.elf.needs]
    if found:
        yield Broken(
            cause=f"the image has musl, and {found[0].path} needs glibc",
            fix="use a base with glibc: debian-slim, ubuntu, or nvidia/cuda",
            paths=tuple(one.path for one in found),
        )


RULE = Rule(
    id="I-LOADER-7",
    title="CUDA's libraries in an image with musl",
    area="loader",
    severity="error",
    why="They ask for symbols of glibc that musl does not have; gcompat does not bring them, either.",
    look=_look,
)
