"""A PyTorch whose build has no kernels for a GPU of the target."""

import re
from collections.abc import Iterator

from linkspan.check.frameworks import capabilities_of, serves
from linkspan.image.gpu_code import capability
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, target: Target) -> Iterator[Broken]:
    found = stack(image)
    for packages in found.sites.values():
        torch = packages.get("torch")
        tag = re.fullmatch(r"cu(\d{3})", torch.local) if torch else None
        known = capabilities_of(tag[1]) if tag else ()
        for able in target.capabilities:
            gpu = capability(able)
            if torch and known and gpu and not serves(known, gpu):
                yield Broken(
                    cause=f"torch {torch.version} has no kernels for compute capability {able}",
                    fix=f"RUN pip install torch --index-url https://download.pytorch.org/whl/{_build(gpu)}",
                    paths=(torch.path,),
                )


def _build(gpu: tuple[int, int]) -> str:
    """The newest of PyTorch's builds that has kernels for a GPU."""
    return next((f"cu{tag}" for tag in ("130", "128", "126", "118") if serves(capabilities_of(tag), gpu)), "cu118")


RULE = Rule(
    id="I-TARGET-5",
    title="PyTorch has no kernels for the GPU",
    area="target",
    severity="error",
    why="The import warns that the GPU 'is not compatible with the current PyTorch installation'; then kernels fail.",
    look=_look,
)
