"""Programs that ask NVML, without the capability that brings it."""

from collections.abc import Iterator

from linkspan.image.layers import together
from linkspan.image.model import Image
from linkspan.image.needs import granted, needing
from linkspan.image.packages import wheels
from linkspan.image.registry import Broken, Rule, Target
from linkspan.plan.capabilities import VARIABLE

_WHEELS = ("nvidia-ml-py", "pynvml", "gpustat", "nvitop", "nvidia-ml-py3")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    have = granted(image)
    if "utility" in have:
        return
    fix = f"ENV {VARIABLE}={','.join(sorted({*have, 'utility'}))}"
    if found := needing(image, ("libnvidia-ml.so.1",)):
        yield together(found, "{names} asks NVML, and no variable grants utility", fix)
    elif known := sorted(wheels(image).intersection(_WHEELS)):
        yield Broken(cause=f"{known[0]} asks NVML, and no variable grants utility", fix=fix)


RULE = Rule(
    id="I-VARIABLES-8",
    title="NVML without the capability utility",
    area="variables",
    severity="warning",
    why="NVML and nvidia-smi come with utility; without them memory and load of the GPU cannot be read.",
    look=_look,
)
