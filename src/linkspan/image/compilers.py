"""Who compiles while it runs: such an image has its compilers for a reason, and must not be told to drop them."""

import re

from linkspan.image.model import Image
from linkspan.image.packages import wheels

_C = re.compile(r"(pytorch-)?triton|vllm|sglang|unsloth|tinygrad")
"""Triton builds a launcher for each kernel with the C compiler, and what is built upon it does."""
_NVCC = re.compile(r"deep-gemm|deep-ep|deepspeed|tilelang")
_FLASHINFER = "flashinfer-python"
_PREBUILT = {"flashinfer-cubin", "flashinfer-jit-cache"}
"""With both of them FlashInfer has its kernels ready-made, and compiles none."""


def needs_c(image: Image) -> bool:
    """True where a C compiler is wanted at run time."""
    return needs_nvcc(image) or any(map(_C.fullmatch, wheels(image)))


def needs_nvcc(image: Image) -> bool:
    """True where kernels are compiled at run time with nvcc, a C++ compiler and CUDA's headers."""
    known = wheels(image)
    bare = _FLASHINFER in known and not known >= _PREBUILT
    return bare or any(map(_NVCC.fullmatch, known))
