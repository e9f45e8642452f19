"""What is done while the image is built: there is no GPU then, and packages move under one's feet."""

import re
from collections.abc import Iterator

from linkspan.image.dockerfile_model import DockerfileRule, Fault, Subject, on_cuda

_QUERIES = re.compile(
    r"torch\.cuda\.(is_available|device_count|get_device_\w+|current_device)|list_physical_devices|is_gpu_available"
    r"|jax\.(devices|device_count|local_devices)\("
)
_OLD_KEY = re.compile(r"7fa2af80", re.IGNORECASE)
_NATIVE = re.compile(r"CMAKE_CUDA_ARCHITECTURES=.?native|-arch=native|CUDAARCHS=native")


def _query(subject: Subject) -> Iterator[Fault]:
    for run in subject.all_runs:
        fix = "take it out, or do it when the container starts"
        for command in run.commands:
            asks = _QUERIES.search(command.text) if command.program.startswith("python") else None
            if command.program in ("nvidia-smi", "deviceQuery") or asks:
                what = asks[0] if asks else command.program
                yield Fault(run.instruction.line_of(what), f"{what} asks for a GPU while the image is built", fix)


def _old_key(subject: Subject) -> Iterator[Fault]:
    for run in subject.all_runs:
        if found := _OLD_KEY.search(run.text):
            fix = "install NVIDIA's package cuda-keyring in its place"
            yield Fault(run.instruction.line_of(found[0]), "the key 7fa2af80 was replaced in April 2022", fix)


def _moves(subject: Subject) -> Iterator[Fault]:
    for run in subject.runs if subject.base.is_nvidia else ():
        for command in run.commands:
            words = command.arguments
            upgrades = command.program in ("apt-get", "apt") and any(
                word in ("upgrade", "dist-upgrade", "full-upgrade", "--allow-change-held-packages") for word in words
            )
            if upgrades or (command.program == "apt-mark" and "unhold" in words):
                line = run.instruction.line_of("unhold" if "unhold" in words else command.program)
                yield Fault(
                    line, f"'{command.text[:60]}' moves CUDA's libraries", "take a newer tag of the base instead"
                )


def _native(subject: Subject) -> Iterator[Fault]:
    for run in subject.all_runs:
        if found := _NATIVE.search(run.text):
            fix = "name the architectures: -DCMAKE_CUDA_ARCHITECTURES=75-real;80-real;86-real;89-real;90"
            yield Fault(
                run.instruction.line_of("native"), f"{found[0]} asks for the GPU of the machine that builds", fix
            )


RULES = (
    DockerfileRule(
        *("DF-BUILD-1", "a GPU is asked for while the image is built", "error"),
        *("A build has no GPU, and no driver.", _query),
        bad=on_cuda('RUN python3 -c "import torch; assert torch.cuda.is_available()"'),
        good=on_cuda('RUN python3 -c "import torch"'),
    ),
    DockerfileRule(
        *("DF-BUILD-2", "the repository's old key is used", "error"),
        *("What is signed now is signed with another, and apt refuses with NO_PUBKEY A4B469963BF863CC.", _old_key),
        bad=on_cuda("RUN apt-key adv --fetch-keys https://example.com/7fa2af80.pub"),
        good=on_cuda("COPY cuda-keyring_1.1-1_all.deb /tmp/", "RUN dpkg -i /tmp/cuda-keyring_1.1-1_all.deb"),
    ),
    DockerfileRule(
        *("DF-BUILD-3", "the base's packages are upgraded", "warning"),
        *("cuBLAS and NCCL go past the versions that the framework was built and tested with.", _moves),
        bad=on_cuda("RUN apt-get update && apt-get upgrade -y && rm -rf /var/lib/apt/lists/*"),
        good=on_cuda("RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*"),
    ),
    DockerfileRule(
        *("DF-BUILD-4", "code is built for the GPU of the builder", "warning"),
        *("There is none, and what comes out fits no GPU or one by chance.", _native),
        bad="FROM nvidia/cuda:12.9.1-devel-ubuntu24.04 AS build\nRUN cmake -DCMAKE_CUDA_ARCHITECTURES=native .\n"
        + on_cuda("COPY --from=build /app /opt/app"),
        good="FROM nvidia/cuda:12.9.1-devel-ubuntu24.04 AS build\nRUN cmake -DCMAKE_CUDA_ARCHITECTURES=80 .\n"
        + on_cuda("COPY --from=build /app /opt/app"),
    ),
)
