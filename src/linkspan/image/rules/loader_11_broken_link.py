"""A link of a CUDA library's name that leads nowhere: the library was left behind when links were copied."""

import re
from collections.abc import Iterator

from linkspan.image.cuda_libraries import is_of_cuda
from linkspan.image.loading import is_whole
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_RUN_TIME = re.compile(r".+\.so\.\d+")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for entry in image.entries.values():
        is_link = entry.kind == "link" and bool(_RUN_TIME.fullmatch(entry.name)) and is_of_cuda(entry.name)
        if is_link and is_whole(image) and image.resolve(entry.path) is None:
            yield Broken(
                cause=f"{entry.path} leads to {entry.target}, which is not there",
                fix=f"COPY {entry.folder}/{entry.name}* whole, links and files, or install the package",
                paths=(entry.path,),
            )


RULE = Rule(
    id="I-LOADER-11",
    title="a link to a CUDA library leads nowhere",
    area="loader",
    severity="error",
    why="Whoever needs that name gets 'cannot open shared object file', although the name is there.",
    look=_look,
)
