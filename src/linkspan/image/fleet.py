"""Which driver the hosts of an image need, by the CUDA that is in it."""

from collections.abc import Iterator
from typing import Literal

from linkspan.check import cuda
from linkspan.facts.model import Model
from linkspan.formats import versions
from linkspan.image.gpu_code import capability
from linkspan.image.holders import holders
from linkspan.image.layers import listed
from linkspan.image.model import Image
from linkspan.image.owners import owner
from linkspan.image.registry import Target
from linkspan.image.stack import stack
from linkspan.image.translation import handing_over

_MOST = 6
"""Holders of code that are told; who wants more reads the findings."""
Fit = Literal["fits", "starts", "compat", "too old", "unknown"]
"""A driver runs all; starts programs, and no PTX; runs it with the compatibility package on data-centre GPUs; none."""


class Found(Model, frozen=True, kw_only=True):
    """A version of CUDA in the image, and what tells it."""

    version: str
    source: str


class Code(Model, frozen=True, kw_only=True):
    """A package or program that holds code for GPUs, and for which architectures (``sm_90``, ``compute_90``)."""

    holder: str
    architectures: tuple[str, ...]


class Fleet(Model, frozen=True, kw_only=True, omit_defaults=False):
    """The newest CUDA in the image, the oldest driver that starts it, and the branch that runs all of it.

    Where only CUDA's major version can be told, ``cuda`` is that, and ``full`` is empty.
    ``code`` is for which GPUs the frameworks and programs hold code, those with the largest files first.
    ``driver`` is the one that was asked about and ``fit`` how it does; ``notes`` are what else there is to it.
    """

    cuda: str = ""
    found: tuple[Found, ...] = ()
    oldest: str = ""
    full: str = ""
    driver: str = ""
    fit: Fit = "unknown"
    code: tuple[Code, ...] = ()
    notes: tuple[str, ...] = ()


def needed(image: Image, target: Target) -> Fleet:
    """The driver that the hosts need, and whether the target's is enough."""
    found = tuple(dict.fromkeys(_versions(image)))
    newest = stack(image).called
    oldest, full = cuda.needed_driver(newest), cuda.driver_for(newest) if "." in newest else ""
    drivers = (entry for name, found in image.by_name.items() if name.startswith("libcuda.so.") for entry in found)
    has_compat = any(owner(entry) == "compat" for entry in drivers)
    largest = sorted(holders(image), key=lambda one: (not one.is_framework, -one.entries[0].size))
    return Fleet(
        cuda=newest,
        found=found,
        oldest=oldest,
        full=full,
        driver=target.driver,
        fit=_fit(target.driver, newest, oldest, has_compat=has_compat),
        code=tuple(Code(holder=one.name, architectures=one.architectures) for one in largest[:_MOST]),
        notes=(*_notes(image, newest, full), *_lacking(image, target)),
    )


def _versions(image: Image) -> Iterator[Found]:
    """What tells the CUDA of the image; where a version is known, bare major versions say nothing more."""
    told = stack(image).told
    exact = [one for one in told if len(one.order) > 1] or told
    return (Found(version=versions.release(one.version), source=one.source) for one in exact)


def _fit(driver: str, newest: str, oldest: str, *, has_compat: bool) -> Fit:
    native, surely = cuda.cuda_of(driver), cuda.at_least(driver)
    if surely and newest and not cuda.older(surely, newest if "." in newest else f"{newest}.99"):
        return "fits"
    if not native or not newest:
        return "unknown"
    if oldest and not cuda.older(cuda.whole(driver), oldest):
        return "starts"
    return "compat" if has_compat else "too old"


def _notes(image: Image, newest: str, full: str) -> Iterator[str]:
    if linking := handing_over(image):
        yield f"{linking[0].name} gives PTX to the driver, which must know CUDA {newest}: branch {full} or later"
    variables = image.config.variables
    if (required := variables.get("NVIDIA_REQUIRE_CUDA", "")) and not variables.get("NVIDIA_DISABLE_REQUIRE"):
        first = required.split()[0] if required.split() else ""
        more = ", or a driver of a branch that it lists" if "driver" in required else ""
        yield f"the toolkit refuses to start it where NVIDIA_REQUIRE_CUDA is not met: {first}{more}"


def _lacking(image: Image, target: Target) -> Iterator[str]:
    """For each GPU of the target, who holds code for others alone."""
    for name, able in zip(target.gpus, target.capabilities, strict=False):
        gpu = capability(able)
        bare = [one.name for one in holders(image) if gpu and one.code(gpu) == "none"]
        if bare:
            yield f"{listed(bare)} {'has' if len(bare) == 1 else 'have'} no code for {name} ({able})"
