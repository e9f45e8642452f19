"""Libraries with GPU code of which none runs on a GPU of the target."""

from collections.abc import Iterator

from linkspan.image.gpu_code import capability
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.runs import without_code


def _look(image: Image, target: Target) -> Iterator[Broken]:
    for able in target.capabilities:
        gpu = capability(able)
        bare = without_code(image, gpu) if gpu else []
        if gpu and bare:
            has = ", ".join((bare[0].elf.architectures or ())[:8]) if bare[0].elf else ""
            number = f"{gpu[0]}{gpu[1]}"
            yield Broken(
                cause=f"{bare[0].path} has code for {has}, and none that compute capability {able} runs",
                fix=f"compile with -gencode arch=compute_{number},code=sm_{number}, or install a build that has it",
                paths=tuple(one.path for one in bare),
            )


RULE = Rule(
    id="I-TARGET-4",
    title="no code for the GPU",
    area="target",
    severity="error",
    why="Its first kernel fails: 'no kernel image is available for execution on the device'.",
    look=_look,
)
