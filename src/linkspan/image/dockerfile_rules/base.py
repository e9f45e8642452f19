"""What an image is built on: is it there, will it be there, and does it fit GPUs."""

import re
from collections.abc import Iterator

from linkspan.image import cuda_tags
from linkspan.image.dockerfile_model import Base, DockerfileRule, Fault, Subject, base_of, on_cuda

GPU_PROJECTS = frozenset(
    {
        *("torch", "torchvision", "torchaudio", "tensorflow", "jax", "jaxlib", "onnxruntime-gpu", "tensorrt", "vllm"),
        *("cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x", "triton", "flash-attn", "deepspeed", "paddlepaddle-gpu"),
    }
)
"""Python packages that are there to use a GPU."""

PLAIN = re.compile(r"(docker\.io/)?(library/)?(python|debian|ubuntu|fedora|rockylinux|almalinux)")
"""Images of a system and no more: neither GPUs nor a loader's path are in their variables."""


def _images(subject: Subject) -> Iterator[tuple[int, Base]]:
    for stage in subject.needed:
        if stage.parent is None and stage.image not in ("", "scratch") and not stage.unknown:
            yield stage.start.line, base_of(stage.image)


def _unpinned(subject: Subject) -> Iterator[Fault]:
    for line, base in _images(subject):
        if not base.digest and base.tag in ("", "latest"):
            what = "says latest" if base.tag else "has no tag"
            yield Fault(line, f"the base {base.name} {what}", f"write the version: FROM {base.name}:VERSION")


def _absent(subject: Subject) -> Iterator[Fault]:
    for line, base in _images(subject):
        if base.is_cuda and base.tag not in ("", "latest") and (cause := cuda_tags.fault(base.tag)):
            near = cuda_tags.nearest(base.tag)
            fix = f"write {base.name}:{near}" if near else "take a tag of the form 12.9.1-runtime-ubuntu24.04"
            yield Fault(line, f"there is no {base.name}:{base.tag}: {cause}", fix)


def _superseded(subject: Subject) -> Iterator[Fault]:
    for line, base in _images(subject):
        tag = cuda_tags.parse(base.tag) if base.is_cuda and not cuda_tags.fault(base.tag) else None
        if tag and (newer := cuda_tags.newest(tag)) != tag:
            cause = f"{base.tag} was replaced by {newer.version}, and such tags are deleted after six months"
            yield Fault(line, cause, f"write {base.name}:{newer.text}")


def _musl(subject: Subject) -> Iterator[Fault]:
    is_gpu = bool(subject.projects & GPU_PROJECTS) or "NVIDIA_VISIBLE_DEVICES" in subject.environment
    if is_gpu and "alpine" in f"{subject.base.name}:{subject.base.tag}":
        fix = "take a base with glibc, such as python:3.12-slim-trixie or a CUDA image"
        yield Fault(subject.final[0].start.line, f"{subject.base.name}:{subject.base.tag} has musl, not glibc", fix)


def _cpu_only(subject: Subject) -> Iterator[Fault]:
    wants_gpu = subject.base.is_nvidia or subject.environment.get("NVIDIA_VISIBLE_DEVICES") == "all"
    for run in subject.all_runs if wants_gpu else ():
        for pip in run.pips:
            for word in pip.words:
                if word.rstrip("/").endswith("/whl/cpu") or "+cpu" in word or word.startswith("tensorflow-cpu"):
                    fix = "install the build for GPUs: without the index of CPU builds, or from /whl/cu129"
                    yield Fault(run.instruction.line_of(word), f"{word} is built without CUDA", fix)


RULES = (
    DockerfileRule(
        *("DF-BASE-1", "the base is not pinned", "warning"),
        *("What it is tomorrow nobody knows; nvidia/cuda has no tag 'latest' at all.", _unpinned),
        bad='FROM ubuntu\nUSER 10001\nCMD ["/opt/app"]\n',
        good='FROM ubuntu:24.04\nUSER 10001\nCMD ["/opt/app"]\n',
    ),
    DockerfileRule(
        *("DF-BASE-2", "the base does not exist", "error"),
        *("The build fails when it is to be pulled.", _absent),
        bad='FROM nvidia/cuda:12.4-runtime-ubuntu22.04\nUSER 10001\nCMD ["/opt/app"]\n',
        good='FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04\nUSER 10001\nCMD ["/opt/app"]\n',
    ),
    DockerfileRule(
        *("DF-BASE-3", "the base will be deleted", "warning"),
        *(
            "NVIDIA keeps the newest point release of a CUDA version only, and builds on others stop.",
            _superseded,
        ),
        bad='FROM nvidia/cuda:12.4.0-runtime-ubuntu22.04\nUSER 10001\nCMD ["/opt/app"]\n',
        good='FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04\nUSER 10001\nCMD ["/opt/app"]\n',
    ),
    DockerfileRule(
        *("DF-BASE-4", "the base has no glibc", "error"),
        *("Driver and CUDA are built for glibc, and so are the wheels of frameworks.", _musl),
        bad='FROM python:3.12-alpine\nENV NVIDIA_VISIBLE_DEVICES=all\nUSER 10001\nCMD ["python"]\n',
        good='FROM python:3.12-slim-trixie\nENV NVIDIA_VISIBLE_DEVICES=all\nUSER 10001\nCMD ["python"]\n',
    ),
    DockerfileRule(
        *("DF-BASE-5", "a framework without CUDA is installed", "warning"),
        *("It runs on the processor and says nothing.", _cpu_only),
        bad=on_cuda("RUN pip install --no-cache-dir torch --index-url https://download.pytorch.org/whl/cpu"),
        good=on_cuda("RUN pip install --no-cache-dir torch==2.9.1"),
    ),
)
