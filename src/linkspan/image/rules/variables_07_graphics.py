"""Programs that draw, in an image that is given the GPU without its graphics."""

from collections.abc import Iterator

from linkspan.image.layers import together
from linkspan.image.model import Image
from linkspan.image.needs import granted, needing
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack
from linkspan.plan.capabilities import VARIABLE
from linkspan.plan.sources import VISIBLE_DEVICES

_SURE = ("libvulkan.so.1", "libnvoptix.so.1", "libGLX_nvidia.so.0", "libEGL_nvidia.so.0", "libnvidia-fbc.so.1")
_LIKELY = ("libEGL.so.1", "libOpenGL.so.0", "libGLX.so.0")
"""Not libGL.so.1: OpenCV and others link with it, and never draw."""


def _look(image: Image, _: Target) -> Iterator[Broken]:
    have = granted(image)
    wants = VISIBLE_DEVICES in image.config.variables or stack(image).uses_cuda
    if not wants or have & {"graphics", "display"}:
        return
    fix = f"ENV {VARIABLE}={','.join(sorted({*have, 'graphics'}))}"
    cause = "{names} draws on the GPU, and no variable grants graphics or display"
    if sure := needing(image, _SURE):
        yield together(sure, cause, fix)
    elif likely := needing(image, _LIKELY):
        yield together(likely, cause.replace("draws", "may draw"), fix, "info")


RULE = Rule(
    id="I-VARIABLES-7",
    title="graphics without the capability graphics",
    area="variables",
    severity="warning",
    why="Without it OpenGL and Vulkan find no driver of NVIDIA's, and draw on the processor or not at all.",
    look=_look,
)
