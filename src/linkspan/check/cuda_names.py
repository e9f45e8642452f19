"""Which CUDA major version a library belongs to by its SONAME, and how long CUDA serves a generation of GPUs."""

import re

from linkspan.formats import versions

_LIBRARY = re.compile(r"lib(?P<stem>[A-Za-z]+?)(?:-[0-9a-f]{8})?\.so\.(?P<number>\d+(?:\.\d+)*)")
_SAME = frozenset(
    {
        *("cudart", "cublas", "cublasLt", "nvblas", "nvjpeg", "nvrtc", "nvJitLink", "nvfatbin", "cupti"),
        *("nppc", "nppial", "nppicc", "nppidei", "nppif", "nppig", "nppim", "nppist", "nppisu", "nppitc", "npps"),
    }
)
"""Libraries whose first number is that of their CUDA."""
_OTHERS = {
    "cufft": {10: 11, 11: 12, 12: 13},
    "cufftw": {10: 11, 11: 12, 12: 13},
    "cusolver": {12: 13},
    "cusolverMg": {12: 13},
    "cusparse": {11: 11},
}
"""Libraries that count on their own; a number that several CUDA versions share is left out (cusparse 12, curand 10)."""
_LAST = {3: "11.8", 5: "12.9", 6: "12.9", 7: "12.9"}
_FIRST = {7: "9.0", 8: "11.0", 9: "11.8", 10: "12.8", 11: "13.0", 12: "12.8"}


def cuda_major(name: str) -> int:
    """The CUDA major version that a library with this SONAME or file name is of; 0 where the name does not tell."""
    found = _LIBRARY.fullmatch(name)
    if not found:
        return 0
    number = (versions.parse(found["number"]) or (0,))[0]
    return number if found["stem"] in _SAME else _OTHERS.get(found["stem"], {}).get(number, 0)


def last_cuda(capability: tuple[int, int]) -> str:
    """The last CUDA whose libraries have code for a compute capability; empty where that is still supported.

    CUDA 13 dropped all before Turing (7.5), CUDA 12 all of Kepler.
    """
    if capability >= (7, 5):
        return ""
    return "10.2" if capability < (3, 5) else _LAST.get(capability[0], "10.2")


def first_cuda(capability: tuple[int, int]) -> str:
    """The first CUDA whose libraries have code for a compute capability; empty where every one in use has."""
    return "10.0" if capability == (7, 5) else _FIRST.get(capability[0], "")
