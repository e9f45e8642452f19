"""A PyTorch whose build has no kernels for a GPU of the target: by its code, or by its build's name."""

from collections.abc import Iterator

from linkspan.check.frameworks import capabilities_of, serves
from linkspan.image.gpu_code import capability, code_for
from linkspan.image.layers import listed
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack
from linkspan.image.torch_builds import build_for, install


def _look(image: Image, target: Target) -> Iterator[Broken]:
    found = stack(image)
    for site, packages in found.sites.items():
        torch = packages.get("torch")
        for able in dict.fromkeys(target.capabilities) if torch else ():
            gpu = capability(able)
            has = _lacking(image, site, gpu) if gpu else ""
            if torch and has:
                build = build_for(target)
                yield Broken(
                    cause=f"torch {torch.version} has kernels for {has}, and none that compute capability {able} runs",
                    fix=install(build) if build else "run it on another GPU: no build of PyTorch's fits GPU and driver",
                    paths=(torch.path,),
                )


def _lacking(image: Image, site: str, gpu: tuple[int, int]) -> str:
    """What the PyTorch of a folder has kernels for, where this GPU is not among them; else empty."""
    library = image.get(f"{site}/torch/lib/libtorch_cuda.so")
    held = library.elf.architectures if library and library.elf else None
    if held:
        return listed(held, 8) if code_for(held, gpu) == "none" else ""
    known = capabilities_of(stack(image).torch_cuda(site).replace(".", ""))
    return "" if not known or serves(known, gpu) else ", ".join(f"{major}.{minor}" for major, minor in known)


RULE = Rule(
    id="I-TARGET-5",
    title="PyTorch has no kernels for the GPU",
    area="target",
    severity="error",
    why="The import warns that the GPU 'is not compatible with the current PyTorch installation'; then kernels fail.",
    look=_look,
)
