"""Who in an image holds code for GPUs, and what of it runs on one of them.

A package of Python's often holds libraries for some generations beside those for all (vLLM has kernels for Hopper
alone, the larger part of its bytes): one without code for a GPU is no fault as long as another has it. CUDA's own are
left out, but for the core ones: libcufftw has an empty kernel for the oldest GPU, libcufile one for no GPU of ours.
"""

import re
from functools import cached_property

from linkspan.image.cuda_libraries import is_core, is_cudas_own
from linkspan.image.gpu_code import Code, code_for, in_order
from linkspan.image.loading import is_own
from linkspan.image.model import Entry, Image

_PACKAGE = re.compile(r".*/(?:site|dist)-packages/(?P<package>[^/]+)/")
_DECIDING = re.compile(r"libtorch_cuda\.so")
_FRAMEWORKS = re.compile(
    r"torch|torchvision|torchaudio|tensorflow|jax_plugins|jaxlib|onnxruntime|cupy\w*|vllm|tensorrt_libs|faiss|mxnet|paddle"
)


class Holder:
    """What was built together: a package of Python's, or a single file of anybody else's. The largest file first."""

    def __init__(self, name: str, entries: list[Entry]) -> None:
        self.name = name
        self.entries = sorted(entries, key=lambda one: (-one.size, one.path))

    @property
    def is_application(self) -> bool:
        """True for what does not stand in a package."""
        return self.name.startswith("/")

    @property
    def is_framework(self) -> bool:
        """True for a package that the image is there for; of others it is not known whether they are ever called."""
        return bool(_FRAMEWORKS.fullmatch(self.name))

    @cached_property
    def architectures(self) -> tuple[str, ...]:
        """For which architectures it has code, in the files that it does not work without."""
        named = [one for one in self.entries if _DECIDING.fullmatch(one.name)]
        return in_order(name for one in named or self.entries for name in held(one))

    def bare(self, gpu: tuple[int, int]) -> list[Entry]:
        """The files without code for a GPU."""
        return [one for one in self.entries if code_for(held(one), gpu) == "none"]

    def code(self, gpu: tuple[int, int]) -> Code:
        """The best that it has for a GPU."""
        return code_for(self.architectures, gpu)


def holders(image: Image) -> tuple[Holder, ...]:
    """What holds code for GPUs in an image; it stays with the image, since several rules ask."""
    return image.kept(_holders)


def core(image: Image) -> list[Entry]:
    """CUDA's own libraries without which no framework runs, and that hold code for GPUs."""
    return [one for one in image.elves if is_own(one) and is_core(one.name) and held(one)]


def _holders(image: Image) -> tuple[Holder, ...]:
    found: dict[str, list[Entry]] = {}
    for one in image.elves:
        if held(one) and is_own(one) and not is_cudas_own(one.path):
            name = package_of(one).removesuffix(".libs") or one.path
            found.setdefault(name, []).append(one)
    return tuple(Holder(name, entries) for name, entries in found.items())


def package_of(one: Entry) -> str:
    """The folder of Python's packages that a file stands in, ``torch``; empty outside of them."""
    found = _PACKAGE.match(one.path)
    return found["package"] if found else ""


def held(one: Entry) -> tuple[str, ...]:
    """The architectures that a file holds code for; none where that was not looked for, too."""
    return (one.elf.architectures if one.elf else None) or ()
