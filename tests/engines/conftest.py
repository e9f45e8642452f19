"""Fixtures of the tests with real engines. Each engine runs once a session, on a machine of its own."""

from collections.abc import Iterator
from itertools import product

import pytest

from linkspan.sim.spec import SimSpec
from tests import driver_files
from tests.engines import containerd as containerd_engine
from tests.engines import docker as engine
from tests.engines import gpu
from tests.engines import podman as podman_engine
from tests.engines.containerd import Containerd
from tests.engines.docker import Docker
from tests.engines.gpu import GpuMachine
from tests.engines.podman import Podman

GPUS = 8
PODMAN = (("4.3", "v1"), ("4.3", "v2"), ("5.4", "v1"), ("5.8", "v2"))
"""Versions of Podman and of cgroups."""


@pytest.fixture(scope="session")
def driver_root() -> Iterator[str]:
    """The driver of all machines: real 550 files, simulated nodes and NVML."""
    with driver_files.gpu_host("550", SimSpec(gpus=GPUS, model="H100")) as root:
        yield root


@pytest.fixture(scope="session", params=product(engine.RELEASES, ("v1", "v2")), ids="-".join)
def docker(request: pytest.FixtureRequest, driver_root: str) -> Iterator[Docker]:
    """Each version of Docker, under each version of cgroups."""
    release, version = request.param
    with gpu.boot(engine.RELEASES[release], driver_root, version) as host:
        host.generate_cdi()
        with engine.running(host, features={"cdi": True}) as daemon:
            yield daemon


@pytest.fixture(scope="session", params=PODMAN, ids="-".join)
def podman_host(request: pytest.FixtureRequest, driver_root: str) -> Iterator[GpuMachine]:
    """A machine for each version of Podman."""
    release, version = request.param
    with gpu.boot(podman_engine.RELEASES[release], driver_root, version) as host:
        host.generate_cdi()
        yield host


@pytest.fixture(scope="session")
def podman(podman_host: GpuMachine) -> Podman:
    """Root's Podman on it."""
    return Podman(podman_host, "root")


@pytest.fixture(scope="session")
def rootless(podman_host: GpuMachine) -> Podman:
    """An ordinary user's Podman on it."""
    return Podman(podman_host, "user")


@pytest.fixture(scope="session", params=product(containerd_engine.RELEASES, ("v1", "v2")), ids="-".join)
def containerd(request: pytest.FixtureRequest, driver_root: str) -> Iterator[Containerd]:
    """Each version of containerd, under each version of cgroups."""
    release, version = request.param
    with gpu.boot(containerd_engine.RELEASES[release], driver_root, version) as host:
        host.generate_cdi()
        with containerd_engine.running(host) as daemon:
            yield daemon
