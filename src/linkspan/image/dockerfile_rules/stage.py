"""What of the building stays in the image, and as whom it runs."""

import re
from collections.abc import Iterator

from linkspan.image import docker_words
from linkspan.image.dockerfile_model import DockerfileRule, Fault, Subject, on_cuda
from linkspan.image.stages import Step

_COMPILES = frozenset({"flashinfer-python", "deep-gemm", "deep-ep", "deepspeed", "tilelang"})
"""Python packages that run nvcc when they are used; with one of them the devel image is right."""
_TOOLS = re.compile(
    r"cuda-(toolkit|nvcc|minimal-build|command-line-tools|compiler|libraries-dev|gdb|nsight.*)(-\d.*)?|nsight-.*"
    r"|build-essential|cmake|ninja-build|(lib(cudnn\d|nccl|cublas|cufft|curand|npp).*-dev.*)"
)
_GPU_BASE = re.compile(r"(^|/)(pytorch/pytorch|nvidia/cuda)$")


def _devel(subject: Subject) -> Iterator[Fault]:
    base = subject.base
    if _GPU_BASE.search(base.name) and re.search(r"(^|-)devel(-|$)", base.tag) and not subject.projects & _COMPILES:
        runtime = f"{base.name}:{base.tag.replace('devel', 'runtime')}"
        fix = f"name this stage (AS build), and copy what it makes into a last stage FROM {runtime}"
        yield Fault(subject.final[0].start.line, f"the image stands on {base.tag}, with compiler and headers", fix)


def _tools(subject: Subject) -> Iterator[Fault]:
    if subject.projects & _COMPILES:
        return
    for run in subject.runs:
        for name, written in run.packages.items():
            if _TOOLS.fullmatch(name):
                line = run.instruction.line_of(written)
                yield Fault(
                    line, f"{name} stays in the image", f"install {name} in a build stage, and copy what it makes"
                )


def _whole(subject: Subject) -> Iterator[Fault]:
    for step in subject.steps:
        one = step.instruction
        words = one.words or tuple(one.value.split())
        if one.keyword == "COPY" and one.flag("from"):
            for word in words[:-1]:
                if re.fullmatch(r"/usr/local/cuda(-\d+\.\d+)?/?\*?", word):
                    fix = "copy the libraries that are needed, or start from the runtime image"
                    yield Fault(one.line_of(word), f"all of {word} is copied, compiler and stubs with it", fix)


def _root(subject: Subject) -> Iterator[Fault]:
    users = [step for step in subject.steps if step.instruction.keyword == "USER"]
    tag = f"{subject.base.name}:{subject.base.tag}"
    if not users:
        if "nonroot" not in tag:
            line = subject.final[-1].start.line
            yield Fault(line, "no USER is given, so the image runs as root", "write USER 10001 before the last command")
        return
    name = _user(subject, users[-1])
    if name in ("root", "0"):
        line = users[-1].instruction.line
        yield Fault(line, "the image runs as root", "end with a user that has no rights: USER 10001")


def _user(subject: Subject, step: Step) -> str:
    value = docker_words.expand(step.instruction.value, step.variables, subject.dockerfile.escape)
    return value.text.partition(":")[0].strip()


def _shell_form(subject: Subject) -> Iterator[Fault]:
    for keyword in ("ENTRYPOINT", "CMD"):
        found = [step.instruction for step in subject.steps if step.instruction.keyword == keyword]
        if found and found[-1].words is None and found[-1].value:
            fix = f'write {keyword} ["program", "argument"]'
            yield Fault(found[-1].line, f"{keyword} goes through a shell, which keeps signals to itself", fix)


RULES = (
    DockerfileRule(
        *("DF-STAGE-1", "the image stands on a devel base", "warning"),
        *("Compiler, headers and static libraries are 3 to 5 GB that nothing uses when it runs.", _devel),
        bad='FROM nvidia/cuda:12.9.1-devel-ubuntu24.04\nUSER 10001\nCMD ["/opt/app"]\n',
        good="FROM nvidia/cuda:12.9.1-devel-ubuntu24.04 AS build\nRUN nvcc -o /app app.cu\n"
        + on_cuda("COPY --from=build /app /opt/app"),
    ),
    DockerfileRule(
        *("DF-STAGE-2", "tools for building stay in the image", "warning"),
        *("They are large, and each is a program that an intruder would like to find.", _tools),
        bad=on_cuda("RUN apt-get update && apt-get install -y build-essential && rm -rf /var/lib/apt/lists/*"),
        good=on_cuda(
            "RUN apt-get update && apt-get install -y cmake && cmake . && apt-get purge -y cmake \\",
            " && rm -rf /var/lib/apt/lists/*",
        ),
    ),
    DockerfileRule(
        *("DF-STAGE-3", "all of CUDA is copied", "warning"),
        *("It holds the compiler, static libraries, and stubs that pass for the driver.", _whole),
        bad="FROM nvidia/cuda:12.9.1-devel-ubuntu24.04 AS build\n"
        + on_cuda("COPY --from=build /usr/local/cuda /usr/local/cuda"),
        good="FROM nvidia/cuda:12.9.1-devel-ubuntu24.04 AS build\n"
        + on_cuda("COPY --from=build /usr/local/cuda/lib64/libcufft.so.11 /usr/local/lib/"),
    ),
    DockerfileRule(
        *("DF-USER-1", "the image runs as root", "warning"),
        *("GPUs need no root: their device nodes are open to everyone.", _root),
        bad='FROM nvidia/cuda:12.9.1-base-ubuntu24.04\nCMD ["/opt/app"]\n',
        good='FROM nvidia/cuda:12.9.1-base-ubuntu24.04\nUSER 10001\nCMD ["/opt/app"]\n',
    ),
    DockerfileRule(
        *("DF-USER-2", "the program runs below a shell", "info"),
        *("It is not told to stop, is killed after ten seconds, and leaves what it held on the GPU to be cleared.",),
        look=_shell_form,
        bad="FROM nvidia/cuda:12.9.1-base-ubuntu24.04\nUSER 10001\nCMD /opt/app --serve\n",
        good='FROM nvidia/cuda:12.9.1-base-ubuntu24.04\nUSER 10001\nCMD ["/opt/app", "--serve"]\n',
    ),
)
