"""Programs that decode or encode on the GPU, and a variable that does not grant it."""

from collections.abc import Iterator

from linkspan.image.layers import together
from linkspan.image.model import Image
from linkspan.image.needs import granted, needing
from linkspan.image.packages import wheels
from linkspan.image.registry import Broken, Rule, Target
from linkspan.plan.capabilities import VARIABLE

_SONAMES = ("libnvcuvid.so.1", "libnvidia-encode.so.1", "libnvidia-opticalflow.so.1")
_WHEELS = ("pynvvideocodec", "pynvc", "nvidia-pyvideocodec")
"""Packages that open the library by hand, so that no header tells of it."""


def _look(image: Image, _: Target) -> Iterator[Broken]:
    have = granted(image)
    if "video" in have:
        return
    fix = f"ENV {VARIABLE}={','.join(sorted({*have, 'video'}))}"
    found = needing(image, _SONAMES)
    if found:
        yield together(found, "{names} needs the GPU's video engines, and no variable grants video", fix)
    elif known := sorted(wheels(image).intersection(_WHEELS)):
        yield Broken(cause=f"{known[0]} needs the GPU's video engines, and no variable grants video", fix=fix)


RULE = Rule(
    id="I-VARIABLES-6",
    title="video without the capability video",
    area="variables",
    severity="error",
    why="Decoder and encoder, libnvcuvid and libnvidia-encode, are only put into containers that ask for video.",
    look=_look,
)
