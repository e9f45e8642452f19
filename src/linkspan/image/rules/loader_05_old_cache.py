"""A loader cache that does not know the libraries of CUDA which its own configuration leads to."""

from collections.abc import Iterator

from linkspan.image.cuda_libraries import is_of_cuda
from linkspan.image.loading import loader
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = loader(image)
    if not found.cached or found.is_musl:
        return
    folders = {*found.configured, *found.defaults} - set(found.variable)
    unknown = [
        one.path
        for one in image.elves
        if one.elf
        and one.folder in folders
        and one.elf.soname
        and is_of_cuda(one.elf.soname)
        and one.elf.soname not in found.cached
    ]
    if unknown:
        yield Broken(
            cause=f"/etc/ld.so.cache does not know {unknown[0]}, though it is in a folder of the loader's",
            fix="RUN ldconfig, after the last library was installed or copied",
            paths=("/etc/ld.so.cache", *unknown),
        )


RULE = Rule(
    id="I-LOADER-5",
    title="the loader's cache is older than the libraries",
    area="loader",
    severity="warning",
    why="Folders that only ld.so.conf names are found by the cache alone: libraries in them are as good as missing.",
    look=_look,
)
