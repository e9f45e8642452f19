"""``linkspan explain`` on real containers, through every way that a GPU gets into one, held against the containers."""

import contextlib
import uuid
from collections.abc import Iterator

import pytest

from tests.engines import accounts, images
from tests.engines import podman as podman_engine
from tests.engines.accounts import Ask
from tests.engines.containerd import HANDLER, IMAGE, Containerd
from tests.engines.cri import Cri
from tests.engines.docker import Docker
from tests.engines.podman import RUN, Podman, Way

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]

STUBS, COMPAT, OWN = "/usr/local/cuda/lib64/stubs", "/usr/local/cuda/compat", "/usr/local/nvidia/lib"
ANY_LIBRARY = "/lib/x86_64-linux-gnu/libm.so.6"


def asking(docker: Docker, name: str) -> Ask:
    return lambda *command: docker.need("exec", name, *command)


@pytest.mark.each_cgroup
@pytest.mark.parametrize(
    ("options", "how", "gpus"),
    [
        (("--gpus=device=2",), "--gpus device=2", 1),
        (("--gpus=all",), "--gpus all", 8),
        (("--runtime=nvidia", "-e", "NVIDIA_VISIBLE_DEVICES=0,2"), "--runtime=nvidia", 2),
        (("--device=nvidia.com/gpu=2", "--device=nvidia.com/gpu=5"), "--device nvidia.com/gpu=2", 2),
    ],
)
def test_a_container_of_docker_is_explained_as_it_is(
    docker: Docker, options: tuple[str, ...], how: str, gpus: int
) -> None:
    if options[0].startswith("--gpus"):
        docker.need_gpus()
    if options[0].startswith("--device"):
        docker.need_cdi()
    with docker.container(*options) as name:
        document = accounts.assert_agrees(docker.host.machine, name, asking(docker, name))
    chain, account = document["chain"], document["account"]
    assert chain["works"], chain["verdict"]
    assert how in account["asked"]["how"]
    assert f"has {gpus} GPU" in chain["verdict"]
    assert account["driver"] == "550.163.01"
    assert (account["runtimes"][0]["version"], account["fit"]["way"]) == ("12.1.105", "natively")


def test_the_same_image_by_runc_has_no_gpu_and_that_is_why(docker: Docker) -> None:
    with docker.container() as name:
        code, document = accounts.explain(docker.host.machine, name)
        accounts.assert_loader(document["account"], asking(docker, name))
    assert code == 1
    assert not document["chain"]["works"]
    assert "no device node of a GPU stands in it" in document["chain"]["verdict"]


@pytest.mark.parametrize(
    ("library_path", "place", "kind", "state"),
    [
        (f"{STUBS}:{OWN}", f"{STUBS}/libcuda.so.1", "stub", "broken"),
        (COMPAT, f"{COMPAT}/libcuda.so.1", "compat", "doubtful"),
        (OWN, f"{OWN}/libcuda.so.1", "other", "broken"),
    ],
)
def test_a_libcuda_of_the_images_own_that_comes_first_is_told(
    docker: Docker, library_path: str, place: str, kind: str, state: str
) -> None:
    options = ("--runtime=nvidia", "-e", "NVIDIA_VISIBLE_DEVICES=0", "-e", f"LD_LIBRARY_PATH={library_path}")
    with docker.container(*options) as name:
        ask = asking(docker, name)
        ask("install", "-D", ANY_LIBRARY, place)
        document = accounts.assert_agrees(docker.host.machine, name, ask)
    box = next(box for box in document["chain"]["boxes"] if box["key"] == "libcuda")
    first = document["account"]["libraries"]["libcuda.so.1"][0]
    assert (first["path"], first["kind"], first["owner"]) == (place, kind, "image")
    assert box["state"] == state
    assert first["by"].startswith("LD_LIBRARY_PATH has ")


def test_a_leftover_without_bytes_stops_the_loader_and_that_is_told(docker: Docker) -> None:
    options = ("--runtime=nvidia", "-e", "NVIDIA_VISIBLE_DEVICES=0", "-e", f"LD_LIBRARY_PATH={OWN}")
    with docker.container(*options) as name:
        ask = asking(docker, name)
        ask("/bin/sh", "-c", f"mkdir -p {OWN} && : >{OWN}/libcuda.so.1")
        document = accounts.assert_agrees(docker.host.machine, name, ask)
    assert "file too short" in document["chain"]["verdict"]
    assert not document["chain"]["works"]


@pytest.mark.each_cgroup
@pytest.mark.parametrize("runtime", ["runc", "ours"])
def test_a_container_of_podman_is_explained_as_it_is(podman: Podman, runtime: str) -> None:
    way = podman_engine.need(podman, "runc")
    options = ["--device=nvidia.com/gpu=0", "--device=nvidia.com/gpu=2"]
    if runtime == "ours":
        podman.host.configure(low_level="runc")
        way, options = Way(podman, podman.host.toolkit.place.runtime), ["-e", "NVIDIA_VISIBLE_DEVICES=0,2"]
    with podman_container(way, *options, "--cap-add=MKNOD") as name:
        document = accounts.assert_agrees(podman.host.machine, name, lambda *command: execute(way, name, *command))
    assert document["chain"]["works"], document["chain"]["verdict"]
    assert "has 2 GPUs" in document["chain"]["verdict"]
    assert document["account"]["asked"]["how"]


def execute(way: Way, name: str, *command: str) -> str:
    done = way("exec", name, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextlib.contextmanager
def podman_container(way: Way, *options: str) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    started = way(*RUN, "--detach", f"--name={name}", *options, images.CUDA, "sleep", "infinity")
    assert started.returncode == 0, started.stderr
    try:
        yield name
    finally:
        way("rm", "--force", "--time=0", name)


@pytest.mark.each_cgroup
def test_a_container_of_containerd_is_explained_as_it_is(containerd: Containerd) -> None:
    name = f"test-{uuid.uuid4().hex[:8]}"
    options = ("--detach", "--cpu-shares=0", "--env=HOME=/root")
    done = containerd("run", *options, *containerd.ours("0,2"), IMAGE, name, "sleep", "infinity")
    assert done.returncode == 0, done.stderr
    try:
        document = accounts.assert_agrees(
            containerd.host.machine, name, lambda *command: in_task(containerd, name, *command)
        )
    finally:
        containerd("task", "kill", "--signal=KILL", name)
        containerd("task", "rm", "--force", name)
        containerd("container", "rm", name)
    assert document["chain"]["works"], document["chain"]["verdict"]
    assert "has 2 GPUs" in document["chain"]["verdict"]
    assert "NVIDIA_VISIBLE_DEVICES" in document["account"]["asked"]["how"], document["account"]["asked"]


def in_task(containerd: Containerd, name: str, *command: str) -> str:
    done = containerd("task", "exec", f"--exec-id=x{uuid.uuid4().hex[:8]}", name, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_container_of_a_pod_is_explained_by_the_pods_name_too(containerd: Containerd, cri: Cri) -> None:
    with cri.pod(HANDLER) as pod:
        container = cri.start(pod, images.CUDA, {"NVIDIA_VISIBLE_DEVICES": "0,2"})
        machine = containerd.host.machine
        document = accounts.assert_agrees(machine, container[:12], lambda *command: cri.run(container, command))
        _, by_name = accounts.explain(machine, document["account"]["title"].partition("/")[0])
    assert document["account"]["engine"] == "kubernetes"
    assert "has 2 GPUs" in document["chain"]["verdict"]
    assert by_name["account"]["title"] == document["account"]["title"]
