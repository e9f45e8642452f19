"""Where an image is to run, by options: a driver, GPUs, or the saved facts of a host."""

from collections.abc import Sequence

from linkspan.cli.output import UsageError
from linkspan.facts import snapshot
from linkspan.formats import versions
from linkspan.image import gpus
from linkspan.image.registry import Target


def target(driver: str, names: Sequence[str], facts: str) -> Target:
    """The target. UsageError for what is no driver or no GPU; HostError, FormatError by what is wrong with the file."""
    if facts:
        if driver or names:
            raise UsageError("--target stands for a whole host: leave out --driver and --gpu")
        return _of_host(facts)
    if driver and not versions.parse(driver):
        raise UsageError(f"--driver is '{driver}', not a version such as 535 or 550.54.14")
    every = tuple(dict.fromkeys(part.strip() for name in names for part in name.split(",") if part.strip()))
    return Target(driver=driver, gpus=every, capabilities=tuple(_capability(name) for name in every))


def _capability(name: str) -> str:
    found = gpus.capability(name)
    if not found:
        raise UsageError(f"--gpu is '{name}', which is no GPU that is known here, such as {gpus.names()}, or 8.0")
    return found


def _of_host(path: str) -> Target:
    facts = snapshot.load(path)
    found = dict.fromkeys((gpu.name, gpu.compute_capability) for gpu in facts.gpus)
    return Target(
        driver=facts.driver.version,
        gpus=tuple(name for name, _ in found),
        capabilities=tuple(capability for _, capability in found),
    )
