"""Fixtures of the privileged tests."""

from collections.abc import Iterator

import pytest

from linkspan.sim.spec import SimSpec
from tests import containers, driver_files, mounts
from tests.containers import RUNTIMES, Runtime
from tests.folders import open_folder
from tests.toolkit import Toolkit


@pytest.fixture(scope="session", autouse=True)
def _private_mounts() -> None:
    mounts.enter_private_mounts()


@pytest.fixture(params=RUNTIMES, ids=str)
def runtime(request: pytest.FixtureRequest) -> Runtime:
    """Each low-level runtime that works here."""
    return containers.need(request.param)


@pytest.fixture
def runc() -> Runtime:
    """The one runtime for tests where the runtime makes no difference."""
    return containers.need(containers.RUNC_V1)


@pytest.fixture(scope="session", params=["535", "550"])
def toolkit(request: pytest.FixtureRequest) -> Iterator[Toolkit]:
    """linkspan installed for a host with eight simulated GPUs and the real driver files of each series."""
    with driver_files.gpu_host(request.param, SimSpec(gpus=8, model="H100")) as root, open_folder("toolkit") as folder:
        yield Toolkit(folder, root)


@pytest.fixture(scope="session")
def toolkit_550() -> Iterator[Toolkit]:
    """The same with driver 550 alone, for tests where the driver makes no difference."""
    with driver_files.gpu_host("550", SimSpec(gpus=8, model="H100")) as root, open_folder("toolkit") as folder:
        yield Toolkit(folder, root)
