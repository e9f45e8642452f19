"""A GPU image that does not ask for GPUs: it gets some only where the operator says so."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack
from linkspan.plan.sources import VISIBLE_DEVICES, is_legacy_image


def _look(image: Image, _: Target) -> Iterator[Broken]:
    env = image.config.variables
    if image.config.is_there and VISIBLE_DEVICES not in env and not is_legacy_image(env) and stack(image).uses_cuda:
        yield Broken(
            cause=f"the image uses CUDA and does not set {VISIBLE_DEVICES}",
            fix=f"ENV {VISIBLE_DEVICES}=all",
        )


RULE = Rule(
    id="I-VARIABLES-1",
    title="the image does not ask for GPUs",
    area="variables",
    severity="info",
    why="It works with --gpus, CDI and Kubernetes; where NVIDIA's runtime is merely the default, it gets no GPU.",
    look=_look,
)
