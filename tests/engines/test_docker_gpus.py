"""``docker run --gpus``: the guide's lines to the letter.

Up to version 28 Docker knows the option if ``nvidia-container-runtime-hook`` is on its daemon's PATH, and calls that
program before the container's own starts.
"""

import shlex

import pytest

from tests.debian import UnavailableError
from tests.engines import inside
from tests.engines.docker import Docker

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]

LINES = {
    "docker run --rm --gpus all nvidia/cuda:12.1.1-base-ubuntu22.04 nvidia-smi": range(8),
    """docker run --rm --gpus '"device=0,2"' nvidia/cuda:12.1.1-base-ubuntu22.04 nvidia-smi""": (0, 2),
    "docker run --rm --gpus 2 nvidia/cuda:12.1.1-base-ubuntu22.04 nvidia-smi": (0, 1),
    f"docker run --rm --gpus device={inside.gpu_uuids([5])[0]} nvidia/cuda:12.1.1-base-ubuntu22.04 nvidia-smi": (5,),
    """docker run --rm --gpus 'all,"capabilities=compute,utility"' nvidia/cuda:12.1.1-base-ubuntu22.04 nvidia-smi""": (
        range(8)
    ),
}
COMPOSE = """\
services:
  app:
    image: nvidia/cuda:12.1.1-base-ubuntu22.04
    command: nvidia-smi -L
    network_mode: none
    deploy:
      resources:
        reservations:
          devices:
            - {driver: nvidia, device_ids: ["0", "2"], capabilities: [gpu]}
"""


@pytest.fixture
def gpus(docker: Docker) -> Docker:
    """A Docker whose daemon found linkspan's hook when it started."""
    docker.need_gpus()
    return docker


def say(docker: Docker, line: str, *more: str) -> str:
    """What a line that begins with ``docker`` prints."""
    return docker.need(*shlex.split(line)[1:], *more)


@pytest.mark.parametrize("line", LINES)
def test_the_guides_line_shows_exactly_the_gpus_asked_for(gpus: Docker, line: str) -> None:
    assert say(gpus, line).count("NVIDIA H100") == len(LINES[line])
    assert inside.sees(say(gpus, line, "-L"), LINES[line])


def test_utility_alone_brings_no_libcuda(gpus: Docker) -> None:
    option = '--gpus=all,"capabilities=utility"'
    assert inside.sees(gpus.run(option, "-e", "NVIDIA_DRIVER_CAPABILITIES="), range(8))
    assert "libcuda." not in gpus.run(option, "-e", "NVIDIA_DRIVER_CAPABILITIES=", command=("ldconfig", "-p"))


@pytest.mark.each_cgroup
def test_only_the_nodes_asked_for_can_be_opened(gpus: Docker) -> None:
    printed = gpus.run('--gpus="device=0,2"', command=inside.open_nodes())
    assert inside.answers(printed) == inside.only_minors((0, 2))


@pytest.mark.parametrize("option", ["--read-only", "--user=1000", "--network=host", "--pid=host"])
def test_the_gpu_is_there_with_this_option_too(gpus: Docker, option: str) -> None:
    printed = gpus.run("--gpus=device=0", option, command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, (0,))
    assert inside.opened(printed, *inside.LIBRARIES), printed


def test_a_privileged_container_sees_the_machines_nodes_and_finds_the_libraries(gpus: Docker) -> None:
    gpus.need_privileged()
    printed = gpus.run("--gpus=device=0", "--privileged", command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, range(8))
    assert inside.opened(printed, *inside.LIBRARIES), printed


def test_where_our_runtime_is_the_default_one_they_are_carried_across_once(gpus: Docker) -> None:
    with gpus.default_runtime("nvidia"):
        printed = gpus.run('--gpus="device=0,2"', command=inside.open_nodes())
        assert inside.sees(gpus.run('--gpus="device=0,2"'), (0, 2))
    assert inside.answers(printed) == inside.only_minors((0, 2))


@pytest.mark.each_cgroup
def test_a_container_that_is_started_again_sees_the_same(gpus: Docker) -> None:
    with gpus.container('--gpus="device=0,2"') as name:
        assert inside.sees(gpus.need("exec", name, *inside.LIST_GPUS), (0, 2))
        gpus.need("restart", "--time=0", name)
        assert inside.answers(gpus.need("exec", name, *inside.open_nodes())) == inside.only_minors((0, 2))


@pytest.mark.each_cgroup
def test_new_limits_for_a_running_container_leave_it_its_gpus(gpus: Docker) -> None:
    with gpus.container('--gpus="device=0,2"') as name:
        gpus.need("update", "--cpu-shares=512", name)
        assert inside.answers(gpus.need("exec", name, *inside.open_nodes())) == inside.only_minors((0, 2))


def test_a_gpu_that_is_not_there_is_refused_in_one_sentence_of_ours(gpus: Docker) -> None:
    done = gpus("run", "--rm", "--gpus=device=17", "nvidia/cuda:12.1.1-base-ubuntu22.04", "true")
    assert done.returncode == 125
    assert '"17" was asked for, but this host has GPUs 0, 1, 2, 3, 4, 5, 6, 7; ' in done.stderr


def test_compose_reserves_the_gpus_that_a_file_names(gpus: Docker) -> None:
    if gpus.host.release == "bookworm":
        raise UnavailableError("Debian 12 has no Compose that is a part of docker")
    gpus.host.machine.write("/tmp/compose.yaml", COMPOSE)
    try:
        printed = gpus.need("compose", "--file=/tmp/compose.yaml", "up", "--no-log-prefix")
    finally:
        gpus.need("compose", "--file=/tmp/compose.yaml", "down")
    assert inside.sees(printed, (0, 2))
