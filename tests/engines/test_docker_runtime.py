"""``docker run --runtime=nvidia``: Docker's own containerd and runc, with linkspan's runtime in front of runc."""

import pytest

from tests.engines import images, inside
from tests.engines.docker import Docker

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]

REQUESTS = {"0": (0,), "all": range(8), "0,2": (0, 2), inside.gpu_uuids([5])[0]: (5,)}
FIRST = "NVIDIA_VISIBLE_DEVICES=0"
NO_NODES = "if ls /dev/nvidia*; then exit 1; fi"


@pytest.mark.each_cgroup
def test_the_guides_line_shows_the_first_gpu(docker: Docker) -> None:
    line = ("run", "--rm", "--runtime=nvidia", "-e", "NVIDIA_VISIBLE_DEVICES=0", images.CUDA, "nvidia-smi")
    printed = docker.need(*line)
    assert "NVIDIA-SMI 550.163.01" in printed
    assert printed.count("NVIDIA H100") == 1


@pytest.mark.parametrize("request_", REQUESTS)
def test_nvidia_smi_lists_exactly_the_gpus_asked_for(docker: Docker, request_: str) -> None:
    assert inside.sees(docker.gpu("-e", f"NVIDIA_VISIBLE_DEVICES={request_}"), REQUESTS[request_])


def test_the_images_own_request_is_for_all(docker: Docker) -> None:
    assert inside.sees(docker.gpu(), range(8))


@pytest.mark.each_cgroup
@pytest.mark.parametrize("request_", ["0,2", "none"])
def test_only_the_nodes_asked_for_can_be_opened(docker: Docker, request_: str) -> None:
    printed = docker.gpu("-e", f"NVIDIA_VISIBLE_DEVICES={request_}", command=inside.open_nodes())
    assert inside.answers(printed) == inside.only_minors(REQUESTS.get(request_, ()))


def test_dockers_own_runtime_gives_the_same_image_nothing(docker: Docker) -> None:
    docker.need("run", "--rm", images.CUDA, "/bin/sh", "-c", f"{NO_NODES}; ! command -v nvidia-smi")


def test_utility_alone_brings_no_libcuda(docker: Docker) -> None:
    options = ("-e", FIRST, "-e", "NVIDIA_DRIVER_CAPABILITIES=utility")
    assert inside.sees(docker.gpu(*options), (0,))
    assert "libcuda." not in docker.gpu(*options, command=("ldconfig", "-p"))


def test_the_images_libcudart_and_the_hosts_libcuda_are_both_found(docker: Docker) -> None:
    printed = docker.gpu("-e", FIRST, command=inside.open_libraries("libcuda.so.1"))
    assert inside.answers(printed)["libcuda.so.1"].endswith("/libcuda.so.550.163.01")
    assert "libcudart.so.12 " in docker.gpu("-e", FIRST, command=("ldconfig", "-p"))


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("NVIDIA_VISIBLE_DEVICES=17", '"17" was asked for, but this host has GPUs 0, 1, 2, 3, 4, 5, 6, 7; '),
        ("NVIDIA_REQUIRE_CUDA=cuda>=99", "NVIDIA_REQUIRE_CUDA requires cuda>=99, but this host has cuda=12.4; "),
        ("NVIDIA_DRIVER_CAPABILITIES=magic", 'NVIDIA_DRIVER_CAPABILITIES asks for "magic", which does not exist; '),
    ],
)
def test_what_cannot_be_granted_is_refused_in_one_sentence_of_ours(
    docker: Docker, variable: str, sentence: str
) -> None:
    done = docker("run", "--rm", "--runtime=nvidia", "-e", variable, images.CUDA, "true")
    assert done.returncode == 125
    assert f": linkspan-runtime: {sentence}" in done.stderr


OPTIONS = ("--read-only", "--user=1000", "--network=host", "--pid=host", "--ipc=host", "--init")


@pytest.mark.parametrize("option", OPTIONS)
def test_the_gpu_is_there_with_this_option_too(docker: Docker, option: str) -> None:
    printed = docker.gpu("-e", FIRST, option, command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, (0,))
    assert inside.opened(printed, *inside.LIBRARIES), printed


def test_a_privileged_container_sees_the_machines_nodes_and_finds_the_libraries(docker: Docker) -> None:
    docker.need_privileged()
    printed = docker.gpu("-e", FIRST, "--privileged", command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, range(8))
    assert inside.opened(printed, *inside.LIBRARIES), printed


def test_a_command_that_comes_later_sees_the_same(docker: Docker) -> None:
    with docker.container("--runtime=nvidia", "-e", "NVIDIA_VISIBLE_DEVICES=0,2") as name:
        assert inside.sees(docker.need("exec", name, *inside.LIST_GPUS), (0, 2))
        assert inside.sees(docker.need("exec", "--user=1000", name, *inside.LIST_GPUS), (0, 2))


@pytest.mark.each_cgroup
def test_a_container_that_is_started_again_sees_the_same(docker: Docker) -> None:
    with docker.container("--runtime=nvidia", "-e", "NVIDIA_VISIBLE_DEVICES=0,2") as name:
        docker.need("restart", "--time=0", name)
        assert inside.sees(docker.need("exec", name, *inside.LIST_GPUS), (0, 2))
        assert inside.answers(docker.need("exec", name, *inside.open_nodes())) == inside.only_minors((0, 2))


@pytest.mark.each_cgroup
def test_new_limits_for_a_running_container_leave_it_its_gpus(docker: Docker) -> None:
    with docker.container("--runtime=nvidia", "-e", "NVIDIA_VISIBLE_DEVICES=0,2") as name:
        docker.need("update", "--cpu-shares=512", name)
        assert inside.answers(docker.need("exec", name, *inside.open_nodes())) == inside.only_minors((0, 2))
