"""cuDNN that was built for another CUDA major version than the image has."""

from collections.abc import Iterator

from linkspan.image.cuda_packages import built_for
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    majors = stack(image).majors
    wheels = ((part.name, part.cuda, part.path, None) for part in stack(image).of("cudnn") if part.site and part.cuda)
    packages = ((one.name, major, one.path, one.layer) for one, major in built_for(image, "libcudnn"))
    for name, major, path, layer in (*wheels, *packages):
        if majors and major not in majors:
            has, cuda = " and ".join(map(str, sorted(majors))), max(majors)
            yield Broken(
                cause=f"{name} is of CUDA {major}, and the image has CUDA {has}",
                fix=f"install cuDNN for CUDA {cuda}: libcudnn9-cuda-{cuda} or nvidia-cudnn-cu{cuda}",
                paths=(path,),
                layer=layer,
            )


RULE = Rule(
    id="I-CUDA-4",
    title="cuDNN of another CUDA major version",
    area="cuda",
    severity="error",
    why="cuDNN opens cuBLAS and NVRTC of its own CUDA by name; they are not there, and each convolution fails.",
    look=_look,
)
