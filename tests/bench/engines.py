"""What ``run`` takes with each engine: an image's /bin/true, plain and with a GPU.

The engines run on machines of their own, as in ``tests/engines``. Their own work is the most of it, so what counts is
the difference within a round.
"""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping

from tests.bench import measure
from tests.debian import UnavailableError
from tests.engines import containerd, docker, gpu, podman
from tests.engines.gpu import GpuMachine

PLAIN = "plain"
GPUS, RUNTIME, CDI = "--gpus", "linkspan-runtime", "CDI device"
TRUE = ("/bin/true",)
ASKED = "0"
VARIABLE = f"NVIDIA_VISIBLE_DEVICES={ASKED}"
DEVICE = f"--device=nvidia.com/gpu={ASKED}"

ROUNDS = 15
TIME_S = 300.0
"""For all engines together; what is left is shared among those that are still to come."""

Ways = Mapping[str, Callable[[], object]]


@dataclasses.dataclass(frozen=True)
class Engine:
    """One release of an engine: milliseconds of every round by way, or why it is not to be had here."""

    name: str
    times: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    why_not: str = ""


@contextlib.contextmanager
def _docker(host: GpuMachine) -> Iterator[Ways]:
    with docker.running(host, features={"cdi": True}) as daemon:
        ways: dict[str, Callable[[], object]] = {
            PLAIN: lambda: daemon.run(command=TRUE),
            GPUS: lambda: daemon.run(f"--gpus=device={ASKED}", command=TRUE),
            RUNTIME: lambda: daemon.gpu(f"--env={VARIABLE}", command=TRUE),
        }
        with contextlib.suppress(UnavailableError):
            daemon.need_cdi()
            ways[CDI] = lambda: daemon.run(DEVICE, command=TRUE)
        yield ways


@contextlib.contextmanager
def _podman(host: GpuMachine) -> Iterator[Ways]:
    root = podman.Podman(host, "root")
    plain, ours = podman.need(root, "runc"), podman.need(root, host.toolkit.place.runtime)
    yield {
        PLAIN: lambda: plain.run(command=TRUE),
        RUNTIME: lambda: ours.run(f"--env={VARIABLE}", command=TRUE),
        CDI: lambda: plain.run(DEVICE, command=TRUE),
    }


@contextlib.contextmanager
def _containerd(host: GpuMachine) -> Iterator[Ways]:
    with containerd.running(host) as daemon:
        ways: dict[str, Callable[[], object]] = {
            PLAIN: lambda: daemon.run(command=TRUE),
            RUNTIME: lambda: daemon.gpu(ASKED, command=TRUE),
        }
        if daemon.knows_cdi:
            ways[CDI] = lambda: daemon.run(DEVICE, command=TRUE)
        yield ways


_ENGINES = (
    ("Docker", docker.RELEASES, _docker),
    ("Podman", podman.RELEASES, _podman),
    ("containerd", containerd.RELEASES, _containerd),
)


def measure_all(driver_root: str, tick: Callable[[str], None]) -> list[Engine]:
    """Every release of every engine, one after the other; ``tick`` is told the name of the one that comes."""
    coming = [
        (f"{name} {version}", release, open_ways)
        for name, releases, open_ways in _ENGINES
        for version, release in releases.items()
    ]
    end = time.monotonic() + TIME_S
    found = []
    for done, (name, release, open_ways) in enumerate(coming):
        tick(name)
        stop = time.monotonic() + (end - time.monotonic()) / (len(coming) - done)
        try:
            with gpu.boot(release, driver_root) as host:
                host.generate_cdi()
                with open_ways(host) as ways:
                    found.append(Engine(name, measure.calls(ways, ROUNDS, stop)))
        except UnavailableError as error:
            found.append(Engine(name, why_not=str(error)))
    return found
