"""CUDA in an image that does not say which driver it needs."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack
from linkspan.plan.requirements import PREFIX


def _look(image: Image, _: Target) -> Iterator[Broken]:
    cuda, env = stack(image).release, image.config.variables
    if (
        cuda
        and image.config.is_there
        and "CUDA_VERSION" not in env
        and not any(name.startswith(PREFIX) for name in env)
    ):
        yield Broken(
            cause=f"the image holds CUDA {cuda}, and no variable says which driver it needs",
            fix=f"ENV NVIDIA_REQUIRE_CUDA='cuda>={cuda.partition('.')[0]}.0'",
        )


RULE = Rule(
    id="I-VARIABLES-13",
    title="no requirement of a driver",
    area="variables",
    severity="info",
    why="With one a start on too old a driver is refused in a sentence; without, the program fails later.",
    look=_look,
)
