"""Images of real engines: each source of the same image tells the same, and a committed GPU container is what it is."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines import images, machine
from tests.engines.docker import Docker
from tests.engines.podman import Podman, need

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]

CHECK_S = 120.0


def check(host: machine.Machine, reference: str, **env: str) -> dict[str, Any]:
    """The findings on an image, as a program on that machine reads them."""
    argv = (machine.PYTHON, "-m", "linkspan", "image", "check", reference, "--json", "--fail-on", "critical")
    done = host.run(*argv, time_s=CHECK_S, XDG_CACHE_HOME="/data/cache", **env)
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def told(found: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((one["id"], one["cause"]) for one in found["findings"])


@pytest.fixture
def committed(docker: Docker) -> Iterator[str]:
    """An image that was made of a container with a GPU."""
    tag = f"committed-{uuid.uuid4().hex[:8]}"
    with docker.container("--runtime=nvidia", "-e", "NVIDIA_VISIBLE_DEVICES=0") as name:
        docker.need("commit", name, tag)
    yield tag
    docker.need("rmi", tag)


def test_what_a_gpu_left_in_a_committed_container_is_told_as_leftovers(docker: Docker, committed: str) -> None:
    found = check(docker.host.machine, f"docker-daemon:{committed}")
    leftovers = [one for one in found["findings"] if one["id"] == "I-BOUNDARY-2"]
    assert leftovers, [one["id"] for one in found["findings"]]
    paths = [path for one in leftovers for path in one["paths"]]
    assert any("libcuda.so.550" in path for path in paths)
    assert "I-BOUNDARY-1" not in [one["id"] for one in found["findings"]]


def test_dockers_daemon_archive_and_container_tell_the_same(docker: Docker) -> None:
    host = docker.host.machine
    docker.need("save", "-o", "/data/saved.tar", images.CUDA)
    archive = check(host, f"/data/saved.tar:{images.CUDA}")
    daemon = check(host, f"docker-daemon:{images.CUDA}")
    assert told(archive) == told(daemon) == told(check(host, images.cuda() + f":{images.CUDA}"))
    with docker.container() as name:
        container = check(host, f"container:{name}")
    assert {one[0] for one in told(container)} >= {one[0] for one in told(daemon)} - {"I-WEIGHT-14", "I-WEIGHT-15"}


def test_podmans_image_tells_the_same(podman: Podman) -> None:
    host = podman.host.machine
    saved = podman("image", "save", "--quiet", "--format=oci-archive", "--output=/data/podman.tar", images.CUDA)
    assert saved.returncode == 0, saved.stderr
    assert told(check(host, "/data/podman.tar")) == told(check(host, images.cuda() + f":{images.CUDA}"))


def test_a_running_container_of_podmans_is_its_image_without_what_is_mounted(podman: Podman) -> None:
    way = need(podman, "runc")
    name = f"running-{uuid.uuid4().hex[:8]}"
    started = way(
        "run", "-d", "--name", name, "--volume=/usr/bin/env:/opt/libcuda.so.1:ro", images.CUDA, "sleep", "600"
    )
    assert started.returncode == 0, started.stderr
    try:
        found = check(podman.host.machine, f"container:{name}")
    finally:
        way("rm", "-f", "-t", "0", name)
    image = check(podman.host.machine, images.cuda() + f":{images.CUDA}")
    assert found["image"].startswith("container ")
    paths = {path for one in found["findings"] for path in one["paths"]}
    assert "/opt/libcuda.so.1" not in paths
    of_files = {one[0] for one in told(image) if not one[0].startswith(("I-VARIABLES", "I-PRODUCTION", "I-WEIGHT"))}
    assert {one[0] for one in told(found)} >= of_files
