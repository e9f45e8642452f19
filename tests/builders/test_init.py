"""What ``linkspan image init`` writes is built by a real buildah, starts, and is told to be without a fault."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from linkspan.image.model import Image
from linkspan.image.registry import Target, findings
from linkspan.image.source import open_image
from tests.builders import bases, buildah, served, stand_ins
from tests.builders.buildah import Buildah
from tests.folders import open_folder

pytestmark = [pytest.mark.privileged, pytest.mark.allow_subprocess, pytest.mark.xdist_group("builders")]

PROJECTS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "unit", "image", "projects")
CUDA = "docker.io/nvidia/cuda:12.9.1"


class Built(NamedTuple):
    """A project that can be built here: its bases, and what its program prints."""

    bases: tuple[str, ...]
    prints: str


BUILT = {
    "python": Built(("docker.io/library/python:3.12-slim-trixie",), "no GPU here"),
    "triton-client": Built(("docker.io/library/python:3.12-slim-trixie",), "<module 'tritonclient.http'"),
    "cuda-cpp": Built((f"{CUDA}-devel-ubuntu24.04", f"{CUDA}-runtime-ubuntu24.04"), ""),
    "onnxruntime": Built((f"{CUDA}-cudnn-runtime-ubuntu24.04",), "['CUDAExecutionProvider']"),
    "model-repository": Built(("nvcr.io/nvidia/tritonserver:25.01-py3",), "--model-repository=/models"),
}
ELSEWHERE = ("extension", "jax", "pytorch", "tensorflow", "tensorrt")
"""Their frameworks, or compilers, are gigabytes that no test downloads; buildah reads what is written for them."""


@pytest.fixture(scope="module")
def builder() -> Iterator[Buildah]:
    with open_folder("served") as folder, buildah.opened(stand_ins.add(served.folder(), folder)) as opened:
        yield opened


def written(project: str, folder: str) -> str:
    """A copy of a project with the Dockerfile that is written for it."""
    copy = f"{folder}/{project}"
    shutil.copytree(f"{PROJECTS}/{project}", copy)
    argv = [sys.executable, "-m", "linkspan", "image", "init", copy]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return copy


def told(image: Image) -> list[tuple[str, str, tuple[str, ...]]]:
    """What all rules say of an image."""
    return [(one.id, one.cause, one.paths) for one in findings(image, Target())]


@pytest.mark.parametrize("project", sorted(BUILT))
def test_a_project_is_built_and_started_and_has_no_fault(builder: Buildah, project: str, tmp_path: str) -> None:
    for base in BUILT[project].bases:
        builder.pull(bases.archive(base))
    builder.build(written(project, str(tmp_path)), project)
    started = builder.start(project)
    assert started.returncode == 0, started.stderr
    assert BUILT[project].prints in started.stdout
    assert told(open_image(builder.push(project, f"oci:{tmp_path}/image").partition(":")[2])) == []


@pytest.mark.parametrize("project", ELSEWHERE)
def test_what_is_written_for_others_is_read_by_buildah_up_to_the_base(
    builder: Buildah, project: str, tmp_path: str
) -> None:
    context = written(project, str(tmp_path))
    done = builder.try_run("bud", "--pull-never", context)
    assert done.returncode != 0
    assert "image not known" in done.stderr or "not found in local" in done.stderr, done.stderr


def test_an_image_of_buildahs_is_the_same_in_every_form(builder: Buildah, tmp_path: str) -> None:
    builder.pull(bases.archive(f"{CUDA}-devel-ubuntu24.04"))
    with open(f"{tmp_path}/Dockerfile", "w", encoding="ascii") as file:  # has faults, so that there is what to compare
        file.write(f"FROM {CUDA}-devel-ubuntu24.04\nRUN cp /bin/true /usr/lib/libcuda.so.550.54.15\nCMD sleep 1\n")
    builder.build(str(tmp_path), "faulty")
    forms = ("oci:{}/layout", "oci-archive:{}/oci.tar", "docker-archive:{}/docker.tar")
    places = [builder.push("faulty", form.format(tmp_path)).partition(":")[2] for form in forms]
    first, *others = [told(open_image(place)) for place in places]
    assert {"I-BOUNDARY-1"} <= {one[0] for one in first}
    assert all(other == first for other in others)
