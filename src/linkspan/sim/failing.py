"""Hosts with a failure: made healthy, then broken. One file of ``failures`` for each area of the catalogue."""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from linkspan.errors import RequestError
from linkspan.sim import create, failures
from linkspan.sim.create import SimHost
from linkspan.sim.machine import Machine
from linkspan.sim.spec import SimSpec

WITH_DOCKER = SimSpec(gpus=2, engines=("docker",))


class Failure(NamedTuple):
    """A failure: what happened to the host, how it is done, and the healthy host that it is done to."""

    summary: str
    happen: Callable[[Machine], None]
    spec: SimSpec = WITH_DOCKER


@cache
def all_failures() -> dict[str, Failure]:
    """Every failure that can be simulated, by the id of its failure mode."""
    found: dict[str, Failure] = {}
    for module in sorted(pkgutil.iter_modules(failures.__path__), key=lambda module: module.name):
        found |= importlib.import_module(f"{failures.__name__}.{module.name}").FAILURES
    return found


def failure(name: str) -> Failure:
    """The failure of this id; RequestError where it cannot be simulated."""
    found = all_failures().get(name.upper())
    if found is None:
        raise RequestError(f"no failure {name}", hint="'linkspan sim failures' lists them", subject=name)
    return found


def create_failing(root: str, name: str) -> SimHost:
    """Make a simulated host with this failure; raises what ``create`` raises. Nothing stays behind when it fails."""
    wanted = failure(name)
    host = create.create(root, wanted.spec)
    try:
        wanted.happen(Machine(host.root, wanted.spec))
    except BaseException:
        create.remove(host.root)
        raise
    return host
