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
        return _beyond_the_table(wanted, driver, compat)
    if not cuda.older(newest, versions.release(wanted)):
        return Fit(way="natively", why=f"driver {driver} runs CUDA up to {newest}")
    if compat and not cuda.older(cuda.cuda_of(compat), versions.release(wanted)):
        return Fit(way="by the compatibility package", why=f"which stands for driver {compat}")
    needed = cuda.needed_driver(wanted)
    if needed and not cuda.older(cuda.whole(driver), needed) and _has_minor(wanted):
        why = (
            f"driver {driver} is of CUDA {newest}, and those from {needed} on run later ones of that major version too"
        )
        return Fit(way="by minor version compatibility", why=why)
    wants = f"{needed} or later" if needed else "a newer one"
    return Fit(way="not", why=f"driver {driver} runs CUDA up to {newest}, and {versions.release(wanted)} needs {wants}")


def _beyond_the_table(wanted: str, driver: str, compat: str) -> Fit:
    """What is known of a driver that the table does not have, of none, and of what is no version."""
    if not versions.parse(wanted):
        return Fit(way="unknown", why=f"'{wanted}' is no version of CUDA")
    surely = cuda.at_least(driver)
    if surely and not cuda.older(surely, versions.release(wanted)):
        return Fit(way="natively", why=f"driver {driver} is newer than those known here, which run CUDA up to {surely}")
    why = f"it is not known which CUDA driver {driver} runs" if driver else f"it runs {drivers(wanted, compat)}"
    return Fit(way="unknown", why=why)


def drivers(wanted: str, compat: str = "", *, by_minor: bool = True) -> str:
    """Which drivers run programs of a CUDA version, and how, where none is named.

    ``compat`` is the driver of a compatibility package, empty for none; ``by_minor`` is False for programs that minor
    version compatibility does not help.
    """
    fully, oldest = cuda.driver_for(wanted), cuda.needed_driver(wanted)
    ways = [f"natively from driver {fully} on" if fully else "natively on drivers newer than those known here"]
    if by_minor and oldest and _has_minor(wanted) and cuda.older(oldest, fully or oldest + ".1"):
        ways.append(f"by minor version compatibility from {oldest} on")
    if compat and not cuda.older(cuda.cuda_of(compat), versions.release(wanted)):
        ways.append("by the compatibility package in it with some older drivers of data-centre GPUs")
    return ", ".join(ways)


def _has_minor(wanted: str) -> bool:
    """Minor version compatibility began with CUDA 11."""
    return (versions.parse(wanted) or ()) >= (11,)
