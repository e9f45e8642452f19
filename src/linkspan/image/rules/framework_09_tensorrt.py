"""TensorRT for another CUDA major version than the image has."""

from collections.abc import Iterator

from linkspan.image.cuda_packages import built_for
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    majors = stack(image).majors
    wheels = (
        (part.name, part.cuda, part.path, None) for part in stack(image).of("tensorrt") if part.site and part.cuda
    )
    packages = ((one.name, major, one.path, one.layer) for one, major in built_for(image, "libnvinfer"))
    for name, major, path, layer in (*wheels, *packages):
        if majors and major not in majors:
            cuda = max(majors)
            yield Broken(
                cause=f"{name} is of CUDA {major}, and the image has CUDA {cuda}",
                fix=f"install TensorRT for CUDA {cuda}: tensorrt-cu{cuda}, or libnvinfer of +cuda{cuda}.*",
                paths=(path,),
                layer=layer,
            )
            return


RULE = Rule(
    id="I-FRAMEWORK-9",
    title="TensorRT of another CUDA major version",
    area="framework",
    severity="error",
    why="It links with the runtime and cuBLAS of its own CUDA, and cannot be loaded without them.",
    look=_look,
)
