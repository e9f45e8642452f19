"""Programs of 32 bits that need the driver, without the driver's libraries of 32 bits."""

from collections.abc import Iterator

from linkspan.image.layers import together
from linkspan.image.model import Image
from linkspan.image.needs import granted, needing
from linkspan.image.registry import Broken, Rule, Target
from linkspan.plan.capabilities import VARIABLE

_DRIVER = ("libcuda.so.1", "libnvidia-ml.so.1", "libnvcuvid.so.1", "libnvidia-encode.so.1", "libGLX_nvidia.so.0")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    have = granted(image)
    found = [entry for entry in needing(image, _DRIVER) if entry.elf and entry.elf.bits == 32]
    if found and "compat32" not in have:
        fix = f"ENV {VARIABLE}={','.join(sorted({*have, 'compat32'}))}"
        yield together(found, "{names} needs a driver of 32 bits, and no variable grants compat32", fix)


RULE = Rule(
    id="I-VARIABLES-9",
    title="programs of 32 bits without the capability compat32",
    area="variables",
    severity="warning",
    why="Only who asks for compat32 gets the driver's libraries of 32 bits; those of 64 do not do in their place.",
    look=_look,
)
