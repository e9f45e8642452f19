"""Images of real engines: each source of the same image tells the same, and a committed GPU container is what it is."""

import json
import tarfile
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines import images, machine
from tests.engines.containerd import IMAGE, Containerd
from tests.engines.docker import Docker
from tests.engines.podman import Podman, need
from tests.unit.image import writer

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]

CHECK_S = 120.0


def check(host: machine.Machine, reference: str, *options: str, **env: str) -> dict[str, Any]:
    """The findings on an image, as a program on that machine reads them."""
    argv = (machine.PYTHON, "-m", "linkspan", "image", "check", reference, "--json", "--fail-on", "critical")
    done = host.run(*argv, *options, time_s=CHECK_S, XDG_CACHE_HOME="/data/cache", **env)
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def told(found: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((one["id"], one["cause"]) for one in found["findings"])


WRITTEN = "/opt/libcuda.so.550.54.14"
WRITE = ("/bin/sh", "-c", f"head -c 5000 /dev/zero >{WRITTEN}")
"""Puts a driver's library into a container that runs."""


def drivers(found: dict[str, Any]) -> set[str]:
    """The paths that are told as the driver's."""
    return {path for one in found["findings"] if one["area"] == "boundary" for path in one.get("paths", ())}


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
    paths = [path for one in leftovers for path in one.get("paths", ())]
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


def test_a_running_container_of_podmans_is_what_it_is_now_without_what_is_mounted(podman: Podman) -> None:
    way = need(podman, "runc")
    options = ("-d", "--network=none", "--pids-limit=0", "--volume=/usr/bin/env:/opt/libcuda.so.1:ro")
    started = way("run", *options, images.CUDA, "sleep", "600")
    assert started.returncode == 0, started.stderr
    container = started.stdout.strip()
    try:
        written = way("exec", container, *WRITE)
        assert written.returncode == 0, written.stderr
        found = check(podman.host.machine, f"container:{container}")
    finally:
        way("rm", "-f", "-t", "0", container)
    assert found["source"] == f"container {container}"
    assert drivers(found) == {WRITTEN}


LAYERS = [
    writer.layer(
        {
            "etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
            "usr/lib/x86_64-linux-gnu/libcuda.so.550.54.14": "x" * 5000,
            "usr/lib/x86_64-linux-gnu/libcuda.so.1": writer.link("libcuda.so.550.54.14"),
            "usr/bin/gcc-12": writer.file(b"\x7fELF", 0o755),
            "root/.cache/pip/http/body": "y" * 3_000_000,
        },
        command="RUN ./NVIDIA-Linux-x86_64-550.54.14.run",
    ),
    writer.layer({"root/.cache/pip/http/.wh.body": "", "app/main.py": "print()"}, "zstd", command="COPY . /app"),
]
RUN = {"Env": ["PATH=/usr/bin", "NVIDIA_VISIBLE_DEVICES=0"], "User": "1000"}
NAME = "registry.example/team/app"


@pytest.fixture(name="ctr")
def layout_in_containerd(containerd: Containerd) -> Containerd:
    """A containerd that has what ``/data/layout.tar`` holds, gzip below zstd, as NAME:1."""
    writer.write_archive(containerd.host.machine.file("/data/layout.tar"), writer.layout(LAYERS, **RUN))
    containerd.need("images", "import", f"--index-name={NAME}:1", "/data/layout.tar")
    return containerd


def test_containerds_image_tells_the_same_as_the_layout_that_it_was_imported_from(ctr: Containerd) -> None:
    host = ctr.host.machine
    layout = check(host, "/data/layout.tar")
    assert {"I-BOUNDARY-1", "I-VARIABLES-2", "I-WEIGHT-1", "I-WEIGHT-14"} <= {one["id"] for one in layout["findings"]}
    image = check(host, f"containerd:{NAME}:1")
    assert image["findings"] == layout["findings"]
    assert image["source"] == f"containerd:{NAME}:1"


@pytest.mark.parametrize("form", ["oci", "docker"])
def test_what_ctr_exports_tells_the_same(ctr: Containerd, form: str) -> None:
    host = ctr.host.machine
    options = ["--skip-manifest-json"] if form == "oci" else []
    local = ["--local"] if ctr.host.release == "sid" else []  # without it the end of the archive may be missing
    ctr.need("images", "export", *local, *options, "/data/exported.tar", f"{NAME}:1")
    if form == "docker":  # what an old "docker load" reads of it
        with tarfile.open(host.file("/data/exported.tar")) as archive:
            names = [one.name for one in archive if one.isfile() and one.name not in ("index.json", "oci-layout")]
            files = {name: archive.extractfile(name).read() for name in names}  # type: ignore[union-attr]
        writer.write_archive(host.file("/data/exported.tar"), files)
    assert told(check(host, "/data/exported.tar")) == told(check(host, "/data/layout.tar"))


def test_layers_that_ctr_unpacked_tell_the_same(ctr: Containerd) -> None:
    ctr.need("images", "convert", "--uncompress", "--oci", f"{NAME}:1", f"{NAME}:plain")
    plain = check(ctr.host.machine, f"containerd:{NAME}:plain")
    assert told(plain) == told(check(ctr.host.machine, "/data/layout.tar"))


def test_containerd_is_asked_by_the_short_name_too_and_in_ctrs_own_namespace(containerd: Containerd) -> None:
    host = containerd.host.machine
    wanted = told(check(host, images.cuda() + f":{images.CUDA}"))
    assert told(check(host, f"containerd:{images.CUDA}")) == wanted
    done = containerd("--namespace=default", "images", "tag", f"docker.io/{images.CUDA}", "docker.io/library/only:1")
    assert done.returncode == 0, done.stderr
    assert told(check(host, "containerd:only:1")) == wanted
    assert told(check(host, "containerd:only:1", CONTAINERD_NAMESPACE="default")) == wanted


def test_of_several_machines_images_containerd_gives_the_one_wanted(containerd: Containerd) -> None:
    host = containerd.host.machine
    files, manifests = {}, []
    for machine_ in ("amd64", "arm64"):
        layer = writer.layer({"etc/os-release": "ID=debian\n", f"opt/{machine_}/libcuda.so.550.1": "x" * 5000})
        more, manifest = writer.blobs([layer], architecture=machine_, **RUN)
        files |= more
        manifests.append(writer.descriptor(manifest, platform={"os": "linux", "architecture": machine_}))
    top = writer.index(*manifests)
    files[writer.blob_name(top)] = top
    named = writer.descriptor(top, "application/vnd.oci.image.index.v1+json")
    archive = {**files, "oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": writer.index(named)}
    writer.write_archive(host.file("/data/both.tar"), archive)
    containerd.need("images", "import", "--all-platforms", "--no-unpack", f"--index-name={NAME}:both", "/data/both.tar")
    for machine_ in ("amd64", "arm64"):
        found = check(host, f"containerd:{NAME}:both", "--platform", f"linux/{machine_}")
        paths = {path for one in found["findings"] for path in one.get("paths", ())}
        assert f"/opt/{machine_}/libcuda.so.550.1" in paths


def test_what_containerd_has_not_is_told_with_the_places_that_were_looked_into(containerd: Containerd) -> None:
    argv = (machine.PYTHON, "-m", "linkspan", "image", "check", "--no-cache")
    done = containerd.host.machine.run(*argv, "containerd:team/none:1")
    assert done.returncode == 3
    assert "containerd has no image team/none:1 in the namespace k8s.io or default" in done.stderr
    done = containerd.host.machine.run(*argv, "containerd:app", CONTAINERD_ADDRESS="/run/none.sock")
    assert done.returncode == 3
    assert "CONTAINERD_ADDRESS names another one" in " ".join(done.stderr.split())


def test_a_running_container_of_containerds_is_what_it_is_now_without_what_is_mounted(containerd: Containerd) -> None:
    name = uuid.uuid4().hex * 2  # as the CRI names its containers
    mount = "--mount=type=bind,src=/usr/bin/env,dst=/opt/libcuda.so.1,options=rbind:ro"
    started = containerd("run", "-d", "--cpu-shares=0", mount, IMAGE, name, "sleep", "600")
    assert started.returncode == 0, started.stderr
    try:
        written = containerd("task", "exec", "--exec-id=write", name, *WRITE)
        assert written.returncode == 0, written.stderr
        found = check(containerd.host.machine, f"container:{name[:12]}")
    finally:
        containerd("task", "kill", "--signal=KILL", name)
        containerd("task", "delete", "--force", name)
        containerd("container", "delete", name)
    assert drivers(found) == {WRITTEN}
