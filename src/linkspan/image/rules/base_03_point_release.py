"""A point release of CUDA that has a successor."""

from collections.abc import Iterator

from linkspan.formats import versions
from linkspan.image.bases import NEWEST_POINT, is_nvidia_cuda
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    version = image.config.variables.get("CUDA_VERSION", "")
    numbers = versions.parse(version) or ()
    if len(numbers) < 3 or not is_nvidia_cuda(image):
        return
    minor = f"{numbers[0]}.{numbers[1]}"
    newest = NEWEST_POINT.get(minor)
    if newest is not None and numbers[2] < newest:
        yield Broken(
            cause=f"the base image has CUDA {version}, which was followed by {minor}.{newest}",
            fix=f"FROM nvidia/cuda:{minor}.{newest}-…",
        )


RULE = Rule(
    id="I-BASE-3",
    title="a superseded point release of CUDA",
    area="base",
    severity="info",
    why="NVIDIA keeps the newest point release and deletes the images of those before it after half a year.",
    look=_look,
)
