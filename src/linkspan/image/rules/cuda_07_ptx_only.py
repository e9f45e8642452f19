"""Programs with PTX and no machine code: every start on a new machine translates it first."""

from collections.abc import Iterator

from linkspan.image.gpu_code import is_ptx_only
from linkspan.image.loading import is_own
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = [
        one
        for one in image.elves
        if is_own(one) and one.elf and one.elf.architectures and is_ptx_only(one.elf.architectures)
    ]
    if found:
        kinds = sorted({name for one in found if one.elf for name in one.elf.architectures or ()})
        yield Broken(
            cause=f"{found[0].path} has only PTX for {', '.join(kinds)} and machine code for no GPU",
            fix="compile with -gencode arch=compute_XY,code=sm_XY for each GPU that is meant, PTX for the newest",
            paths=tuple(one.path for one in found),
        )


RULE = Rule(
    id="I-CUDA-7",
    title="PTX and no machine code",
    area="cuda",
    severity="warning",
    why="The driver has to translate it, which takes minutes, and one older than the CUDA of the build refuses to.",
    look=_look,
)
