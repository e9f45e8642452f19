"""CUDA that runs by minor version compatibility alone, in an image that compiles for the GPU at run time."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.runs import by_driver
from linkspan.image.stack import stack

_COMPILERS = ("numba", "numba-cuda", "triton", "flashinfer-python")
"""Packages that hand PTX of the image's own CUDA to the driver."""


def _look(image: Image, target: Target) -> Iterator[Broken]:
    found = stack(image)
    if not target.driver or not found.cuda or by_driver(image, target).way != "by minor version compatibility":
        return
    compilers = [one for one in found.distributions if one.name in _COMPILERS]
    if compilers:
        yield Broken(
            cause=f"driver {target.driver} is older than CUDA {found.cuda}, for which {compilers[0].name} compiles",
            fix="update the host's driver, or build the image for the CUDA of that driver",
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
