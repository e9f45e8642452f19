"""PyTorch of one CUDA version beside NVIDIA's runtime package of another."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = stack(image)
    for site, packages in found.sites.items():
        built = tuple(int(one) for one in found.torch_cuda(site).split(".") if one)
        for runtime in (part for part in found.of("cudart") if part.site == site and len(part.numbers) > 1):
            if len(built) > 1 and runtime.numbers[:2] != built[:2]:
                torch = packages["torch"]
                yield Broken(
                    cause=f"PyTorch {torch.version} was built with CUDA {found.torch_cuda(site)}, "
                    f"and {runtime.name} is {runtime.version}",
                    fix=f"RUN pip install --force-reinstall torch=={torch.version}, with the index that it came from",
                    paths=(torch.path, runtime.path),
                    severity="error" if runtime.numbers[0] != built[0] else None,
                )


RULE = Rule(
    id="I-FRAMEWORK-1",
    title="PyTorch and the CUDA runtime beside it are of different versions",
    area="framework",
    severity="warning",
    why="A later installation replaced what PyTorch asked for: of another major version it does not even load.",
    look=_look,
)
