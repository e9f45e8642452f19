"""PyTorch's own builds: which one to install for a GPU and a driver."""

from collections.abc import Iterable

from linkspan.check.cuda_fit import fit
from linkspan.check.frameworks import capabilities_of, serves
from linkspan.image.gpu_code import capability
from linkspan.image.registry import Target

_INDEX = "https://download.pytorch.org/whl"
_BUILDS = {"130": "13.0", "128": "12.8", "126": "12.6", "118": "11.8"}
"""The builds that are kept, the newest first, with their CUDA."""


def build_for(target: Target) -> str:
    """The newest build that has kernels for the target's GPUs and starts on its driver; empty where none does.

    Volta is among the GPUs of the build for CUDA 12.8 in some releases and not in others; that for 12.6 has it always.
    """
    gpus = [gpu for able in target.capabilities if (gpu := capability(able))]
    return next((f"cu{tag}" for tag, cuda in _BUILDS.items() if _fits(tag, gpus) and _starts(cuda, target.driver)), "")


def install(build: str) -> str:
    """The line of a Dockerfile that installs a build."""
    return f"RUN pip install torch --index-url {_INDEX}/{build}"


def _fits(tag: str, gpus: Iterable[tuple[int, int]]) -> bool:
    return all(serves(capabilities_of(tag), gpu) and (gpu >= (7, 5) or tag in ("126", "118")) for gpu in gpus)


def _starts(cuda: str, driver: str) -> bool:
    return not driver or fit(cuda, driver).way != "not"
