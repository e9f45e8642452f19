"""TensorFlow without any cuDNN: it opens CUDA's libraries by name, and goes on without them."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = stack(image)
    if found.of("cudnn") or not found.is_cuda_image:
        return
    for framework in found.of("tensorflow"):
        if framework.name != "tensorflow-cpu" and framework.numbers[:1] == (2,):
            yield Broken(
                cause=f"TensorFlow {framework.version} is there, and no cuDNN",
                fix=f"RUN pip install 'tensorflow[and-cuda]=={framework.version}'",
                paths=(framework.path,),
            )


RULE = Rule(
    id="I-FRAMEWORK-4",
    title="TensorFlow without cuDNN",
    area="framework",
    severity="warning",
    why="It registers no GPU at all where one library is missing, and runs on the processor.",
    look=_look,
)
