"""Which images a project is built on and runs on: pinned, and as small as what it needs allows."""

from typing import NamedTuple

from linkspan.formats import versions
from linkspan.image import cuda_tags
from linkspan.image.init.needs import Needs

USUAL = "12.9"
"""A CUDA version that every driver since 525 runs, and that knows every GPU on sale."""
TRITON = "nvcr.io/nvidia/tritonserver:25.01-py3"
CONDA = "mambaorg/micromamba:1.5.8"
DEBIAN = "debian:trixie-slim"
_TENSORRT = "13.0.0"
"""The one version of which there are images with TensorRT."""
_ARCHITECTURES = (
    ((13, 0), "75 80 86 89 90 100 120"),
    ((12, 8), "70 75 80 86 89 90 100 120"),
    ((11, 8), "70 75 80 86 89 90"),
    ((11, 1), "70 75 80 86"),
)
"""The compute capabilities that are on servers, by the CUDA version whose compiler knows them (13 dropped Volta)."""


class Bases(NamedTuple):
    """The images, and the CUDA version that they have; ``cuda`` is empty where the packages bring their own."""

    build: str
    run: str
    cuda: str = ""


def bases(needs: Needs, uses_conda: bool = False) -> Bases:
    """The images for a project."""
    if needs.kind == "triton-server":
        return Bases("", TRITON)
    if uses_conda:
        return Bases(CONDA, DEBIAN)
    if not needs.compiles and not needs.libraries:
        slim = f"python:{needs.python}-slim-{_debian(needs.python)}"
        return Bases(slim, slim)
    version = _TENSORRT if needs.libraries == "tensorrt" else _version(needs.toolkit)
    minor = versions.release(version)
    run = "runtime" if needs.libraries else "base"
    extra = _extra(needs.libraries, minor)
    build = _tag(version, extra, "devel") if needs.compiles else _tag(version, extra, run)
    return Bases(build, _tag(version, extra, run), minor)


def _debian(python: str) -> str:
    """The Debian of a Python image: the newest, since what wheels bring is built on newer and newer ones.

    The programs in that of Triton's client ask for a newer glibc than Debian 12 has. Of a Python older than 3.9 there
    is no image on Debian 13.
    """
    return "trixie" if (versions.parse(python) or ()) >= (3, 9) else "bookworm"


def _version(toolkit: str) -> str:
    return cuda_tags.NEWEST.get(toolkit) or cuda_tags.NEWEST[USUAL]


def _extra(libraries: str, minor: str) -> str:
    if libraries == "cudnn":
        return cuda_tags.cudnn(minor) or "cudnn"
    return "tensorrt" if libraries == "tensorrt" else ""


def _tag(version: str, extra: str, variant: str) -> str:
    # Images on Ubuntu 24.04, with cuDNN too, begin with CUDA 12.6.
    system = "ubuntu24.04" if (versions.parse(version) or ()) >= (12, 6) else "ubuntu22.04"
    return f"nvidia/cuda:{cuda_tags.Tag(version, extra, variant, system).text}"


def architectures(cuda: str) -> tuple[str, ...]:
    """The compute capabilities to compile for with a CUDA version, without the dot, the oldest first."""
    have = versions.parse(cuda) or ()
    known = next((names for since, names in _ARCHITECTURES if have >= since), _ARCHITECTURES[-1][1])
    return tuple(known.split())


def for_cmake(cuda: str) -> str:
    """The same as CMake wants it: machine code for each, and PTX of the last for what comes after it."""
    *older, last = architectures(cuda)
    return ";".join((*(f"{one}-real" for one in older), last))


def for_torch(cuda: str) -> str:
    """The same as PyTorch's extensions want it."""
    return ";".join(f"{one[:-1]}.{one[-1]}" for one in architectures(cuda)) + "+PTX"
