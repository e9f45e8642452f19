"""Which driver the hosts of an image need, by the CUDA that is in it."""

import re
from collections.abc import Iterator
from typing import Literal

from linkspan.check import cuda
from linkspan.facts.model import Model
from linkspan.formats import versions
from linkspan.image import code
from linkspan.image.model import Image
from linkspan.image.owners import owner
from linkspan.image.registry import Target
from linkspan.image.variant import cuda_version
from linkspan.image.wants import Wants

Fit = Literal["fits", "starts", "compat", "too old", "unknown"]
"""A driver runs all; starts programs, and no PTX; runs it with the compatibility package on data-centre GPUs; none."""

_CUDART = re.compile(r"^libcudart(?:-[0-9a-f]{8})?\.so\.(\d+\.\d+)\.\d+$")
_SONAME = re.compile(r"^libcudart(?:-[0-9a-f]{8})?\.so\.(\d+)(?:\.0)?$")
_RUNTIME = re.compile(r"^nvidia-cuda-runtime(-cu\d+)?$")
_TAG = re.compile(r"\+cu(\d{2})(\d)$")
_JIT = ("triton", "numba", "numba-cuda", "cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x", "flashinfer-python")


class Found(Model, frozen=True, kw_only=True):
    """A version of CUDA in the image, and what tells it."""

    version: str
    source: str


class Fleet(Model, frozen=True, kw_only=True, omit_defaults=False):
    """The newest CUDA in the image, the oldest driver that starts it, and the branch that runs all of it.

    Where only CUDA's major version can be told, ``cuda`` is that, and ``full`` is empty.
    ``driver`` is the one that was asked about and ``fit`` how it does; ``notes`` are what else there is to it.
    """

    cuda: str = ""
    found: tuple[Found, ...] = ()
    oldest: str = ""
    full: str = ""
    driver: str = ""
    fit: Fit = "unknown"
    notes: tuple[str, ...] = ()


def needed(image: Image, wants: Wants, target: Target) -> Fleet:
    """The driver that the hosts need, and whether the target's is enough."""
    found = tuple(dict.fromkeys(_versions(image, wants))) or tuple(_majors(image))
    newest = max((one.version for one in found), key=lambda text: versions.parse(text) or (), default="")
    oldest, full = cuda.needed_driver(newest), cuda.driver_for(newest) if "." in newest else ""
    drivers = (entry for name, found in image.by_name.items() if name.startswith("libcuda.so.") for entry in found)
    has_compat = any(owner(entry) == "compat" for entry in drivers)
    return Fleet(
        cuda=newest,
        found=found,
        oldest=oldest,
        full=full,
        driver=target.driver,
        fit=_fit(target.driver, newest, oldest, has_compat=has_compat),
        notes=(*_notes(image, wants, newest, full), *code.lacking(wants, target)),
    )


def _versions(image: Image, wants: Wants) -> Iterator[Found]:
    if version := cuda_version(image):
        yield Found(version=_short(version), source="CUDA_VERSION")
    for name, entries in image.by_name.items():
        if match := _CUDART.match(name):
            yield Found(version=match[1], source=entries[0].path)
    for name, version in wants.packages.items():
        if _RUNTIME.match(name) and versions.parse(version):
            yield Found(version=_short(version), source=f"{name} {version}")
        elif match := _TAG.search(version):
            yield Found(version=f"{match[1]}.{match[2]}", source=f"{name} {version}")


def _majors(image: Image) -> Iterator[Found]:
    """The major versions that CUDA's runtime is called by: ``libcudart.so.12`` is that of all CUDA 12."""
    for name, entries in image.by_name.items():
        if match := _SONAME.match(name):
            yield Found(version=match[1], source=entries[0].path)


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _fit(driver: str, newest: str, oldest: str, *, has_compat: bool) -> Fit:
    native = cuda.cuda_of(driver) if driver else ""
    if not native or not newest:
        return "unknown"
    if not cuda.older(native, newest if "." in newest else f"{newest}.99"):
        return "fits"
    if oldest and not cuda.older(_whole(driver), oldest):
        return "starts"
    return "compat" if has_compat else "too old"


def _whole(driver: str) -> str:
    """A branch alone stands for its newest driver: 525 is meant to be no older than 525.60.13."""
    return driver if "." in driver else f"{driver}.999"


def _notes(image: Image, wants: Wants, newest: str, full: str) -> Iterator[str]:
    if jit := [name for name in _JIT if name in wants.packages]:
        names = ", ".join(jit)
        yield f"{names} makes code when it runs, so the driver must know CUDA {newest}: branch {full} or later"
    variables = image.config.variables
    if (required := variables.get("NVIDIA_REQUIRE_CUDA", "")) and not variables.get("NVIDIA_DISABLE_REQUIRE"):
        first = required.split()[0] if required.split() else ""
        more = ", or a driver of a branch that it lists" if "driver" in required else ""
        yield f"the toolkit refuses to start it where NVIDIA_REQUIRE_CUDA is not met: {first}{more}"
