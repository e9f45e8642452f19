"""An image for compiling, used to run."""

from collections.abc import Iterator

from linkspan.image.bases import is_devel
from linkspan.image.compilers import needs_nvcc
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    if is_devel(image) and not needs_nvcc(image):
        version = image.config.variables.get("CUDA_VERSION", "…")
        yield Broken(
            cause="the image is built on the devel variant of NVIDIA's CUDA image, and nothing in it compiles CUDA",
            fix=f"FROM nvidia/cuda:{version}-runtime-… in the last stage, or -base- where wheels bring their own CUDA",
        )


RULE = Rule(
    id="I-BASE-1",
    title="a devel image in production",
    area="base",
    severity="warning",
    why="Compiler, headers, static libraries and profilers are gigabytes, and the runtime variant has none of them.",
    look=_look,
)
