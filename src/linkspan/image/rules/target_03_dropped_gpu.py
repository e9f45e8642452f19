"""A GPU of the target that the image's CUDA has no code for any more."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.runs import dropped
from linkspan.image.stack import stack


def _look(image: Image, target: Target) -> Iterator[Broken]:
    found = stack(image)
    for able in target.capabilities:
        if found.cuda and (why := dropped(image, able)):
            yield Broken(
                cause=why,
                fix="build the image for CUDA 12 (nvidia/cuda:12.9.1-*, PyTorch's cu126), or run it on a newer GPU",
                paths=tuple(part.path for part in found.runtimes[:1]),
            )


RULE = Rule(
    id="I-TARGET-3",
    title="the image's CUDA has dropped the GPU",
    area="target",
    severity="error",
    why="No driver helps: cuBLAS, cuDNN and the frameworks were built without code for that generation.",
    look=_look,
)
