"""Libraries with nothing but PTX for a GPU of the target, and PTX that is newer than its driver."""

from collections.abc import Iterator

from linkspan.check.cuda import driver_for
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.runs import needs_translation
from linkspan.image.stack import stack


def _look(image: Image, target: Target) -> Iterator[Broken]:
    entry = needs_translation(image, target)
    if entry:
        cuda = stack(image).cuda
        yield Broken(
            cause=f"{entry.path} has only PTX of CUDA {cuda} for that GPU, which driver {target.driver} does not know",
            fix=f"update the host's driver to {driver_for(cuda)} or later, or compile machine code for that GPU",
            paths=(entry.path,),
        )


RULE = Rule(
    id="I-TARGET-6",
    title="the driver cannot translate the image's PTX",
    area="target",
    severity="error",
    why="Minor version compatibility is not for PTX: 'the provided PTX was compiled with an unsupported toolchain'.",
    look=_look,
)
