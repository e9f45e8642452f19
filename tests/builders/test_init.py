"""What ``linkspan image init`` writes is built by a real buildah, starts, and is told to be without a fault."""

from typing import NamedTuple

import pytest

from linkspan.image.source import open_image
from tests.builders import bases, projects
from tests.builders.buildah import Buildah
from tests.builders.told import told

pytestmark = [pytest.mark.privileged, pytest.mark.allow_subprocess, pytest.mark.xdist_group("builders")]

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


@pytest.mark.parametrize("project", sorted(BUILT))
def test_a_project_is_built_and_started_and_has_no_fault(builder: Buildah, project: str, tmp_path: str) -> None:
    for base in BUILT[project].bases:
        builder.pull(bases.archive(base))
    builder.build(projects.written(project, str(tmp_path)), project)
    started = builder.start(project)
    assert started.returncode == 0, started.stderr
    assert BUILT[project].prints in started.stdout
    assert told(open_image(builder.push(project, f"oci:{tmp_path}/image").partition(":")[2])) == []
