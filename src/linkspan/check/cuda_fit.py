"""How programs of one CUDA version run on the driver of another: natively, by one of two compatibilities, or not."""

from typing import Literal

from linkspan.check import cuda
from linkspan.facts.model import Model
from linkspan.formats import versions

Way = Literal["natively", "by minor version compatibility", "by the compatibility package", "not", "unknown"]


class Fit(Model, frozen=True, kw_only=True):
    """How a CUDA version runs on a driver, and the sentence that says why."""

    way: Way
    why: str


def fit(wanted: str, driver: str, compat: str = "") -> Fit:
    """How programs of CUDA ``wanted`` run on a driver; ``compat`` is the driver of a compatibility package.

    By NVIDIA's table of CUDA releases and drivers ("CUDA Compatibility").
    """
    newest = cuda.cuda_of(driver)
    if not newest or not versions.parse(wanted):
        return Fit(way="unknown", why=f"it is not known which CUDA driver {driver or 'none'} runs")
    if not cuda.older(newest, _short(wanted)):
        return Fit(way="natively", why=f"driver {driver} runs CUDA up to {newest}")
    if compat and not cuda.older(cuda.cuda_of(compat), _short(wanted)):
        return Fit(way="by the compatibility package", why=f"that stands for driver {compat}")
    needed = cuda.needed_driver(wanted)
    if needed and not cuda.older(driver, needed) and versions.parse(wanted) >= (11,):  # type: ignore[operator]  # it is a version
        why = f"driver {driver} is of CUDA {newest}; from {needed} on it also runs later ones of that major version"
        return Fit(way="by minor version compatibility", why=why)
    return Fit(
        way="not", why=f"driver {driver} runs CUDA up to {newest}, and {_short(wanted)} needs {needed or 'a newer one'}"
    )


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])
