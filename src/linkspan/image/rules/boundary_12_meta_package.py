"""A package that drags the driver in, whatever its name promises."""

import re
from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.packages import named
from linkspan.image.registry import Broken, Rule, Target

_META = re.compile(r"cuda(-\d+-\d+)?|cuda-runtime(-\d+-\d+)?|cuda-demo-suite(-\d+-\d+)?|nvidia-cuda-toolkit")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for package in named(image, _META, "dpkg", "rpm"):
        tail = (re.search(r"(-\d+-\d+)$", package.name) or ("-X-Y",))[0]
        yield Broken(
            cause=f"the package {package.name} is installed, which depends on the driver",
            fix=f"install cuda-libraries{tail} to run, and cuda-toolkit{tail} only in a build stage",
            paths=(package.path,) if package.path else (),
            layer=package.layer,
        )


RULE = Rule(
    id="I-BOUNDARY-12",
    title="a package that brings the driver",
    area="boundary",
    severity="warning",
    why="The whole of CUDA, a driver, DKMS and libraries of X come with it: gigabytes that no container uses.",
    look=_look,
)
