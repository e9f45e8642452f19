"""PyTorch for AMD's GPUs in an image for NVIDIA's."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for packages in stack(image).sites.values():
        torch = packages.get("torch")
        if torch and "rocm" in torch.local and stack(image).is_cuda_image:
            yield Broken(
                cause=f"PyTorch {torch.version} is for AMD's GPUs",
                fix="RUN pip install torch --index-url https://download.pytorch.org/whl/cu128",
                paths=(torch.path,),
            )


RULE = Rule(
    id="I-FRAMEWORK-13",
    title="PyTorch for AMD's GPUs in an image with CUDA",
    area="framework",
    severity="error",
    why="It finds no GPU of NVIDIA's, and says so only when somebody asks.",
    look=_look,
)
