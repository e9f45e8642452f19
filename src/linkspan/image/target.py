"""Where an image is to run: by a driver's version and the names of GPUs, or by the facts of a host."""

from collections.abc import Iterable

from linkspan.errors import RequestError
from linkspan.facts.model import HostFacts
from linkspan.formats import versions
from linkspan.image import gpus
from linkspan.image.registry import Target
from linkspan.plan.wording import quoted


def of_names(driver: str, names: Iterable[str]) -> Target:
    """The target of a driver, ``535`` or ``550.54.14``, and GPUs, ``T4`` or ``7.5``; both may be left empty.

    Raises RequestError for what is no driver's version, and for a GPU that is not known here.
    """
    if driver and not versions.parse(driver):
        raise RequestError(f"the driver {quoted(driver)} is no version such as 535 or 550.54.14", subject=driver)
    every = tuple(dict.fromkeys(part.strip() for name in names for part in name.split(",") if part.strip()))
    return Target(driver=driver, gpus=every, capabilities=tuple(map(_capability, every)))


def _capability(name: str) -> str:
    found = gpus.capability(name)
    if not found:
        hint = f"name one such as {gpus.names()}, or its compute capability, 8.0"
        raise RequestError(f"the GPU {quoted(name)} is not known here", hint=hint, subject=name)
    return found


def of_host(facts: HostFacts) -> Target:
    """The target that a host is: its driver, and each kind of its GPUs."""
    found = dict.fromkeys((gpu.name, gpu.compute_capability) for gpu in facts.gpus)
    return Target(
        driver=facts.driver.version,
        gpus=tuple(name for name, _ in found),
        capabilities=tuple(capability for _, capability in found),
    )
