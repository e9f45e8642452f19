"""CuPy for another CUDA major version than the image has."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    majors = stack(image).majors
    for part in stack(image).of("cupy"):
        if part.cuda and majors and part.cuda not in majors:
            yield Broken(
                cause=f"{part.name} is for CUDA {part.cuda}, and the image has CUDA {max(majors)}",
                fix=f"RUN pip uninstall -y {part.name} && pip install cupy-cuda{max(majors)}x",
                paths=(part.path,),
            )


RULE = Rule(
    id="I-FRAMEWORK-15",
    title="CuPy of another CUDA major version",
    area="framework",
    severity="error",
    why="It opens NVRTC and cuBLAS of its own CUDA by name, and the first operation fails with ImportError.",
    look=_look,
)
