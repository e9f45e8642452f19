"""NCCL that was built with another CUDA major version than the image has."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack
from linkspan.image.system_packages import built_for


def _look(image: Image, _: Target) -> Iterator[Broken]:
    majors = stack(image).majors
    wheels = ((part.name, part.cuda, part.path) for part in stack(image).of("nccl") if part.site and part.cuda)
    for name, major, path in (*wheels, *built_for(image, "libnccl")):
        if majors and major not in majors:
            cuda = max(majors)
            yield Broken(
                cause=f"{name} was built with CUDA {major}, and the image has CUDA {cuda}",
                fix=f"install NCCL for CUDA {cuda}: libnccl2=*+cuda{cuda}.* or nvidia-nccl-cu{cuda}",
                paths=(path,),
            )


RULE = Rule(
    id="I-CUDA-5",
    title="NCCL built for another CUDA major version",
    area="cuda",
    severity="warning",
    why="NCCL has CUDA's runtime in it: one newer than the driver ends in 'CUDA driver version is insufficient'.",
    look=_look,
)
