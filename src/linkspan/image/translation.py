"""Packages that compile for the GPU when they run, and leave the last step to the driver."""

from linkspan.image.distributions import Distribution
from linkspan.image.model import Image
from linkspan.image.stack import stack

_LINKERS = {"numba-cuda": "libnvJitLink.so", "numba": ""}
"""Packages that hand PTX of the image's own CUDA to the driver, unless a library makes machine code of it before.

Triton, CuPy, XLA and FlashInfer are none of them: they bring ptxas or NVRTC, and load machine code.
"""
_COMPILER = "libnvvm.so"
"""What numba compiles with; without it there is numba for the processor alone."""


def compiles_with_nvvm(image: Image) -> bool:
    """True where numba can compile for GPUs: many have it for the processor only."""
    return _has(image, _COMPILER)


def handing_over(image: Image) -> list[Distribution]:
    """The packages whose code only a driver translates that knows the image's CUDA."""
    found = stack(image).distributions
    if not compiles_with_nvvm(image) or any(one.name.startswith("pynvjitlink") for one in found):
        return []
    linkers = [one for one in found if one.name in _LINKERS]
    linked = any(_LINKERS[one.name] and _has(image, _LINKERS[one.name]) for one in linkers)
    return [] if linked else linkers


def _has(image: Image, stem: str) -> bool:
    return any(name.startswith(stem) for name in image.by_name)
