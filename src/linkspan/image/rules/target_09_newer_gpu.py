"""A GPU of the target that is newer than the image's CUDA."""

from collections.abc import Iterator

from linkspan.check.cuda import older
from linkspan.check.cuda_names import first_cuda
from linkspan.image.gpu_code import capability
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, target: Target) -> Iterator[Broken]:
    found = stack(image)
    for able in target.capabilities:
        gpu = capability(able)
        first = first_cuda(gpu) if gpu else ""
        if first and found.cuda and older(found.called, first):
            yield Broken(
                cause=f"CUDA {found.called} knows no GPU of compute capability {able}; CUDA {first} was the first to",
                fix=f"build the image for CUDA {first} or later",
                paths=tuple(part.path for part in found.runtimes[:1]),
            )


RULE = Rule(
    id="I-TARGET-9",
    title="the GPU is newer than the image's CUDA",
    area="target",
    severity="warning",
    why="Only what has PTX runs at all, translated at the first start and slowly; NVRTC refuses that architecture.",
    look=_look,
)
