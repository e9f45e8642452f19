"""Fixtures of the tests with real engines. Each engine runs once a session, on a machine of its own."""

import contextlib
from collections.abc import Iterator
from itertools import product

import pytest

from linkspan.sim.spec import SimSpec
from tests import driver_files
from tests.engines import cgroups, containerd, docker, gpu, images, podman
from tests.engines.containerd import SOCKET, Containerd
from tests.engines.cri import Cri
from tests.engines.docker import Docker
from tests.engines.gpu import GpuMachine
from tests.engines.podman import Podman

GPUS = 8
MARKER = "each_cgroup: runs under each version of cgroups that this machine has, not under the first alone"
ENGINES = {"docker": docker.RELEASES, "containerd": containerd.RELEASES, "podman_host": podman.RELEASES}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with every version of its engine."""
    versions = cgroups.available() or ["v1"]
    if not metafunc.definition.get_closest_marker("each_cgroup"):
        versions = versions[:1]
    for name in ENGINES.keys() & set(metafunc.fixturenames):
        pairs = [(release, cgroup) for cgroup, release in product(versions, ENGINES[name])]
        metafunc.parametrize(name, pairs, ids=["-".join(pair) for pair in pairs], indirect=True, scope="session")


@pytest.fixture(scope="session")
def driver_root() -> Iterator[str]:
    """The driver of all machines: real 550 files, simulated nodes and NVML."""
    with driver_files.gpu_host("550", SimSpec(gpus=GPUS, model="H100")) as root:
        yield root


@pytest.fixture(scope="session", name="docker")
def running_docker(request: pytest.FixtureRequest, driver_root: str) -> Iterator[Docker]:
    """A Docker that knows our runtime and our CDI spec."""
    version, cgroup = request.param
    with gpu.boot(docker.RELEASES[version], driver_root, cgroup) as host:
        host.generate_cdi()
        with docker.running(host, features={"cdi": True}) as daemon:
            yield daemon


@pytest.fixture(scope="session", name="containerd")
def running_containerd(request: pytest.FixtureRequest, driver_root: str) -> Iterator[Containerd]:
    """A containerd that finds our CDI spec."""
    version, cgroup = request.param
    with gpu.boot(containerd.RELEASES[version], driver_root, cgroup) as host:
        host.generate_cdi()
        with containerd.running(host) as daemon:
            yield daemon


@pytest.fixture(scope="session", name="cri")
def connection(containerd: Containerd) -> Iterator[Cri]:
    """A connection to the CRI of a containerd."""
    with contextlib.closing(Cri(containerd.host.machine.file(SOCKET))) as cri:
        containerd.daemon.wait_until(
            lambda: cri.has_image(images.PAUSE) and cri.has_image(images.CUDA), "images of pods"
        )
        yield cri


@pytest.fixture(scope="session")
def podman_host(request: pytest.FixtureRequest, driver_root: str) -> Iterator[GpuMachine]:
    """A machine with Podman and our CDI spec."""
    version, cgroup = request.param
    with gpu.boot(podman.RELEASES[version], driver_root, cgroup) as host:
        host.generate_cdi()
        yield host


@pytest.fixture(scope="session", name="podman")
def roots_podman(podman_host: GpuMachine) -> Podman:
    """Root's Podman on it."""
    return Podman(podman_host, "root")


@pytest.fixture(scope="session")
def rootless(podman_host: GpuMachine) -> Podman:
    """An ordinary user's Podman on it."""
    return Podman(podman_host, "user")
