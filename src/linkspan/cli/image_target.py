"""Where an image is to run, by options: a driver, GPUs, or the saved facts of a host."""

from collections.abc import Sequence

from linkspan.cli.output import UsageError
from linkspan.facts import snapshot
from linkspan.image import target as targets
from linkspan.image.registry import Target


def target(driver: str, names: Sequence[str], facts: str) -> Target:
    """The target. RequestError for what is no driver or no GPU; HostError, FormatError by what is wrong with the file.

    UsageError where both are given.
    """
    if facts and (driver or names):
        raise UsageError("--target stands for a whole host: leave out --driver and --gpu")
    return targets.of_host(snapshot.load(facts)) if facts else targets.of_names(driver, names)
