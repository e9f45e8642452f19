"""``docker run --device nvidia.com/gpu=…``: Docker applies linkspan's CDI spec, and its own runc runs the one hook."""

import pytest

from tests.engines import images, inside
from tests.engines.docker import Docker

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]


@pytest.fixture
def cdi(docker: Docker) -> Docker:
    """A Docker that knows CDI."""
    docker.need_cdi()
    return docker


@pytest.mark.parametrize(("name", "gpus"), [("0", (0,)), ("all", range(8)), (inside.gpu_uuids([5])[0], (5,))])
def test_nvidia_smi_lists_exactly_the_device_named(cdi: Docker, name: str, gpus: tuple[int, ...]) -> None:
    printed = cdi.run(f"--device=nvidia.com/gpu={name}", command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, gpus)
    assert inside.opened(printed, *inside.LIBRARIES), printed


@pytest.mark.each_cgroup
def test_only_the_nodes_of_the_devices_named_can_be_opened(cdi: Docker) -> None:
    devices = ("--device=nvidia.com/gpu=0", "--device=nvidia.com/gpu=2")
    assert inside.answers(cdi.run(*devices, command=inside.open_nodes())) == inside.only_minors((0, 2))


@pytest.mark.parametrize("option", ["--read-only", "--user=1000", "--runtime=nvidia"])
def test_the_device_is_there_with_this_option_too(cdi: Docker, option: str) -> None:
    asked = ("--device=nvidia.com/gpu=0", "-e", "NVIDIA_VISIBLE_DEVICES=void")
    printed = cdi.run(*asked, option, command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, (0,))
    assert inside.opened(printed, *inside.LIBRARIES), printed


def test_a_container_that_is_started_again_sees_the_same(cdi: Docker) -> None:
    with cdi.container("--device=nvidia.com/gpu=2") as name:
        cdi.need("restart", "--time=0", name)
        assert inside.sees(cdi.need("exec", name, *inside.LIST_GPUS), (2,))


def test_a_device_that_is_not_there_is_refused(cdi: Docker) -> None:
    done = cdi("run", "--rm", "--device=nvidia.com/gpu=17", images.CUDA, "true")
    assert done.returncode == 125
    assert "unresolvable CDI devices nvidia.com/gpu=17" in done.stderr
