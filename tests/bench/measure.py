"""Taking times: whole container lives, interleaved, and single programs. Times are in milliseconds.

Nothing here waits with a time-out that polls: a child's end is waited for on its descriptor.
"""

import os
import random
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from tests.bench.ways import Way
from tests.containers import RUNC_V1, Container, new_bundle, subreaper, wait_bounded
from tests.rootfs import fresh_root

STEPS = ("create", "start", "wait", "delete")
PROGRAM_TIME_S = 120.0
LEAST_ROUNDS = 5
"""Of those that are cut short; quartiles of fewer say nothing."""

Life = Mapping[str, float]
"""Milliseconds by step."""


def lives(ways: Sequence[Way], rounds: int, tick: Callable[[], None]) -> dict[str, list[Life]]:
    """``rounds`` container lives of every way; each round takes them all, in a random order."""
    found: dict[str, list[Life]] = {way.name: [] for way in ways}
    order = random.Random(0)
    for way in ways:
        _one_life(way)  # the first start of each reads files from the disk
    for _ in range(rounds):
        for way in order.sample(list(ways), len(ways)):
            found[way.name].append(_one_life(way))
            tick()
    return found


def _one_life(way: Way) -> Life:
    way.before()
    with fresh_root() as root, new_bundle(root, "/bin/true") as bundle, subreaper():
        way.shape(bundle)
        bundle.write()
        container = Container(RUNC_V1, bundle, way.wrapper)
        with open(f"{bundle.folder}/errors", "w+b") as errors:
            try:
                return _timed(container, errors.fileno(), way)
            except RuntimeError as error:
                errors.seek(0)
                raise RuntimeError(f"{error}: {errors.read().decode(errors='replace')}") from None
            finally:
                container.delete()


def _timed(container: Container, errors: int, way: Way) -> Life:
    steps: tuple[Callable[[], int], ...] = (
        lambda: container.create(subprocess.DEVNULL, errors),
        lambda: container.start(errors),
        container.wait,
        container.delete,
    )
    times = {}
    for name, step in zip(STEPS, steps, strict=True):
        began = time.perf_counter()
        if code := step():
            raise RuntimeError(f"{way.name}: {name} ended with {code}")
        times[name] = (time.perf_counter() - began) * 1000
    return times


def total(life: Life) -> float:
    """Milliseconds from create to the end of delete."""
    return sum(life.values())


def programs(commands: Mapping[str, Sequence[str]], rounds: int, env: Mapping[str, str]) -> dict[str, list[float]]:
    """How long programs take as a whole, interleaved."""
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, argv in commands.items():
            found[name].append(_program(argv, env))
    return {name: times[1:] for name, times in found.items()}


def calls(ways: Mapping[str, Callable[[], object]], rounds: int, stop: float) -> dict[str, list[float]]:
    """How long calls take, interleaved; fewer rounds, but some, where it is later than ``stop`` (monotonic seconds)."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    order = random.Random(0)
    for way in [*ways.values()] * 2:
        way()  # the first start of each is made by Python, and kept
    for done in range(rounds):
        if done >= LEAST_ROUNDS and time.monotonic() > stop:
            break
        for name in order.sample(list(ways), len(ways)):
            began = time.perf_counter()
            ways[name]()
            found[name].append((time.perf_counter() - began) * 1000)
    return found


def _program(argv: Sequence[str], env: Mapping[str, str]) -> float:
    silent = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    began = time.perf_counter()
    pid = os.posix_spawn(argv[0], list(argv), dict(env), file_actions=silent)
    wait_bounded(pid, PROGRAM_TIME_S)
    return (time.perf_counter() - began) * 1000


def over(found: Sequence[float], base: Sequence[float]) -> float:
    """The median of what each round took over the base's time in the same round."""
    return statistics.median(one - other for one, other in zip(found, base, strict=True))


def quartiles(found: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    low, middle, high = statistics.quantiles(found, n=4)
    return low, middle, high
