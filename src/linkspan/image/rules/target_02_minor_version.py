"""CUDA that runs by minor version compatibility alone, in an image that compiles for the GPU at run time."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.runs import by_driver
from linkspan.image.stack import stack
from linkspan.image.translation import handing_over


def _look(image: Image, target: Target) -> Iterator[Broken]:
    found = stack(image)
    if not target.driver or not found.cuda or by_driver(image, target).way != "by minor version compatibility":
        return
    if compilers := handing_over(image):
        yield Broken(
            cause=f"driver {target.driver} is older than CUDA {found.called}, for which {compilers[0].name} compiles",
            fix="RUN pip install 'numba-cuda[cu12]', which has nvJitLink, or update the host's driver",
            paths=tuple(one.path for one in compilers),
        )


RULE = Rule(
    id="I-TARGET-2",
    title="kernels are compiled for a newer CUDA than the driver's",
    area="target",
    severity="warning",
    why="The driver refuses newer PTX: 'the provided PTX was compiled with an unsupported toolchain'.",
    look=_look,
)
