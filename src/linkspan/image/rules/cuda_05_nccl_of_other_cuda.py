"""NCCL that was built with another CUDA major version than the image has."""

from collections.abc import Iterator

from linkspan.image.cuda_packages import built_for
from linkspan.image.databases import is_rpm
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack

_PACKAGE = {False: "libnccl2=", True: "libnccl-"}
"""In NVIDIA's repository for Debian and Ubuntu, and in those for rpm."""


def _look(image: Image, _: Target) -> Iterator[Broken]:
    majors = stack(image).majors
    wheels = ((part.name, part.cuda, part.path, None) for part in stack(image).of("nccl") if part.site and part.cuda)
    packages = ((one.name, major, one.path, one.layer) for one, major in built_for(image, "libnccl"))
    for name, major, path, layer in (*wheels, *packages):
        if majors and major not in majors:
            cuda = max(majors)
            yield Broken(
                cause=f"{name} was built with CUDA {major}, and the image has CUDA {cuda}",
                fix=f"install NCCL for CUDA {cuda}: {_PACKAGE[is_rpm(path)]}*+cuda{cuda}.* or nvidia-nccl-cu{cuda}",
                paths=(path,),
                layer=layer,
            )


RULE = Rule(
    id="I-CUDA-5",
    title="NCCL built for another CUDA major version",
    area="cuda",
    severity="warning",
    why="NCCL has CUDA's runtime in it: one newer than the driver ends in 'CUDA driver version is insufficient'.",
    look=_look,
)
