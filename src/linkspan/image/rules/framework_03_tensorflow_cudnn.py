"""TensorFlow with a cuDNN that it was not built for."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack

_NEEDS = ((2, 18, 9), (2, 5, 8), (2, 0, 7))
"""From which TensorFlow 2 on which major version of cuDNN (its table of tested builds)."""


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = stack(image)
    for framework in found.of("tensorflow"):
        numbers = framework.numbers[:2]
        wanted = next((cudnn for major, minor, cudnn in _NEEDS if numbers >= (major, minor)), 0)
        there = [part for part in found.of("cudnn") if part.numbers and part.site in ("", framework.site)]
        if wanted and there and framework.name != "tensorflow-cpu" and wanted not in {one.numbers[0] for one in there}:
            yield Broken(
                cause=f"TensorFlow {framework.version} wants cuDNN {wanted}, and the image has {there[0].version}",
                fix=f"RUN pip install 'tensorflow[and-cuda]=={framework.version}', or a base image with cuDNN {wanted}",
                paths=(framework.path, *(one.path for one in there)),
            )


RULE = Rule(
    id="I-FRAMEWORK-3",
    title="TensorFlow and cuDNN do not fit",
    area="framework",
    severity="error",
    why="It says 'Cannot dlopen some GPU libraries' in its log, and runs on the processor.",
    look=_look,
)
