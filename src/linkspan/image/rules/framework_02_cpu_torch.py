"""PyTorch without CUDA in an image that is made for GPUs."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack
from linkspan.image.torch_builds import build_for, install


def _look(image: Image, target: Target) -> Iterator[Broken]:
    found = stack(image)
    if not found.is_cuda_image:
        return
    for site, packages in found.sites.items():
        torch = packages.get("torch")
        library = image.get(f"{site}/torch/lib/libtorch_cpu.so")
        bare = library is not None and image.get(f"{site}/torch/lib/libtorch_cuda.so") is None
        if torch and "rocm" not in torch.local and (torch.local.startswith("cpu") or (bare and not torch.local)):
            yield Broken(
                cause=f"PyTorch {torch.version} has no CUDA in it, and the image is made for GPUs",
                fix=install(build_for(target) or "cu126"),
                paths=(torch.path,),
            )


RULE = Rule(
    id="I-FRAMEWORK-2",
    title="PyTorch for processors in an image for GPUs",
    area="framework",
    severity="warning",
    why="torch.cuda.is_available() is False whatever the host has, and the work runs on the processor without a word.",
    look=_look,
)
