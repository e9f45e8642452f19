"""Docker with other settings: linkspan's runtime as the default one, and containers whose root is nobody outside."""

from collections.abc import Iterator

import pytest

from tests.engines import docker as engine
from tests.engines import gpu, inside
from tests.engines.docker import Docker

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]

FIRST_AND_THIRD = "NVIDIA_VISIBLE_DEVICES=0,2"


def test_as_the_default_runtime_it_needs_no_option(docker: Docker) -> None:
    with docker.default_runtime("nvidia"):
        assert inside.sees(docker.run("-e", FIRST_AND_THIRD), (0, 2))


def test_as_the_default_runtime_it_leaves_alone_what_asks_for_nothing(docker: Docker) -> None:
    with docker.default_runtime("nvidia"):
        printed = docker.run("-e", "NVIDIA_VISIBLE_DEVICES=void", command=("/bin/sh", "-c", "ls /dev; ldconfig -p"))
    assert "nvidia" not in printed
    assert "libcuda." not in printed


@pytest.fixture(scope="module", params=engine.RELEASES)
def remapped(request: pytest.FixtureRequest, driver_root: str) -> Iterator[Docker]:
    """Each version of Docker, with every container in a user namespace."""
    with gpu.boot(engine.RELEASES[request.param], driver_root) as host:
        host.generate_cdi()
        with engine.running(host, **{"features": {"cdi": True}, "userns-remap": "mapped"}) as daemon:
            yield daemon


def test_in_a_user_namespace_the_gpus_asked_for_are_there(remapped: Docker) -> None:
    assert remapped.run(command=("cat", "/proc/self/uid_map")).split() == ["0", "100000", "65536"]
    printed = remapped.gpu("-e", FIRST_AND_THIRD, command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, (0, 2))
    assert inside.opened(printed, *inside.LIBRARIES), printed


def test_in_a_user_namespace_a_command_that_comes_later_sees_the_same(remapped: Docker) -> None:
    with remapped.container("--runtime=nvidia", "-e", FIRST_AND_THIRD) as name:
        assert inside.sees(remapped.need("exec", name, *inside.LIST_GPUS), (0, 2))


def test_in_a_user_namespace_a_device_of_our_spec_is_there(remapped: Docker) -> None:
    remapped.need_cdi()
    printed = remapped.run("--device=nvidia.com/gpu=0", command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, (0,))
    assert inside.opened(printed, *inside.LIBRARIES), printed


def test_in_a_user_namespace_the_hook_carries_the_gpus_across(remapped: Docker) -> None:
    remapped.need_gpus()
    printed = remapped.run('--gpus="device=0,2"', command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, (0, 2))
    assert inside.opened(printed, *inside.LIBRARIES), printed
