"""The driver, or a part of it, is put into the image. It belongs to the host: kernel module and libraries are one."""

import re
from collections.abc import Iterator

from linkspan.check.inside import is_driver_name
from linkspan.image.dockerfile_model import DockerfileRule, Fault, Subject, on_cuda

META = re.compile(r"cuda|cuda-\d+-\d+|cuda-(runtime|demo-suite)(-\d+-\d+)?|cuda-drivers.*|nvidia-open(-\d+)?")
"""Packages that pull the driver whatever their names say (NVIDIA's repositories)."""
PACKAGE = re.compile(
    r"libcuda1|libnvidia-(?!container|ml-dev|egl-)[a-z0-9-]+|libnvcuvid1|libcudadebugger1|libnvoptix1|nvidia-smi"
    r"|nvidia-(driver|utils|compute-utils|headless|fabricmanager|settings|modprobe|persistenced|alternative)(-.*)?"
    r"|(xserver-xorg-video|xorg-x11-drv)-nvidia.*|nvidia-(compute|video|gl)-G0\d|libgl1-nvidia.*"
)
KERNEL = re.compile(
    r"dkms|.*-dkms(-\d.*)?|dkms-nvidia|linux-(headers|image|modules)-.*|kernel-(devel|modules)(-.*)?|a?kmod-nvidia.*"
    r"|nvidia-(open-)?kernel-.*"
)
TOOLKIT = re.compile(
    r"nvidia-container-(toolkit(-base)?|runtime(-hook)?)|nvidia-docker2?|libnvidia-container(1|-tools)"
)
_RUNFILE = re.compile(r"(NVIDIA-Linux-|cuda_)[^\s/]*\.run\b")
_MODULE = re.compile(r"\.ko(\.(xz|zst|gz))?$")


def _packages(subject: Subject, pattern: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    for run in subject.runs:
        for name, written in run.packages.items():
            if pattern.fullmatch(name):
                yield run.instruction.line_of(written), name


def _driver(subject: Subject) -> Iterator[Fault]:
    for line, name in _packages(subject, PACKAGE):
        wants = (
            " and ask for the capability utility, which brings nvidia-smi" if "smi" in name or "utils" in name else ""
        )
        yield Fault(line, f"{name} is a part of the driver", f"leave {name} out{wants}")


def _meta(subject: Subject) -> Iterator[Fault]:
    for line, name in _packages(subject, META):
        version = re.search(r"-\d+-\d+$", name)
        instead = f"cuda-libraries{version[0]}" if version else "cuda-libraries-X-Y with the version that is wanted"
        yield Fault(line, f"{name} depends on the driver and its kernel module", f"install {instead} in its place")


def _kernel(subject: Subject) -> Iterator[Fault]:
    for line, name in _packages(subject, KERNEL):
        yield Fault(line, f"{name} is for building or holding kernel modules", f"leave {name} out")
    for run in subject.runs:
        for command in run.commands:
            if command.program in ("modprobe", "insmod", "depmod", "dkms"):
                line = run.instruction.line_of(command.program)
                yield Fault(line, f"{command.program} is run while the image is built", "do this on the host")


def _runfile(subject: Subject) -> Iterator[Fault]:
    for step in subject.steps:
        one = step.instruction
        if one.keyword in ("ADD", "COPY") and (found := _RUNFILE.search(one.value)):
            yield Fault(one.line, f"{found[0]} holds the driver", "take a CUDA image as the base in its place")
    for run in subject.all_runs:
        for command in run.commands:
            found = _RUNFILE.search(command.text)
            fetched = command.program in ("wget", "curl", "chmod", "rm", "ls", "aria2c")
            if found and not fetched and not ("--toolkit" in command.text and "--driver" not in command.text):
                line = run.instruction.line_of(found[0])
                yield Fault(
                    line,
                    f"{found[0]} installs the driver",
                    "run it in a build stage with --silent --toolkit --override",
                )


def _copied(subject: Subject) -> Iterator[Fault]:
    for step in subject.steps:
        one = step.instruction
        if one.keyword not in ("COPY", "ADD"):
            continue
        for word in (one.words or tuple(one.value.split()))[:-1]:
            name = word.rstrip("/").rpartition("/")[2]
            plain = name.rstrip("*")
            if is_driver_name(plain.rstrip(".")) or plain == "nvidia-smi" or _MODULE.search(plain):
                yield Fault(one.line_of(word), f"{word} is a file of the driver", "take this line out")
            elif word.startswith(("/usr/lib/wsl", "/dev/nvidia")):
                yield Fault(one.line_of(word), f"{word} is the host's", "take this line out")


def _nodes(subject: Subject) -> Iterator[Fault]:
    for run in subject.runs:
        for command in run.commands:
            if command.program == "mknod" and "nvidia" in command.text:
                yield Fault(run.instruction.line_of("mknod"), "a device node of a GPU is made", "take this command out")


def _toolkit(subject: Subject) -> Iterator[Fault]:
    for line, name in _packages(subject, TOOLKIT):
        yield Fault(line, f"{name} works on the host, outside of containers", f"leave {name} out")


def _distribution(subject: Subject) -> Iterator[Fault]:
    for line, name in _packages(subject, re.compile(r"nvidia-cuda-(toolkit|dev)")):
        fix = "start from a CUDA image of NVIDIA's, devel to build and runtime to run"
        yield Fault(line, f"the distribution's {name} depends on the driver's libraries", fix)


_WHY = "The driver's libraries only work with the kernel module of their own version, and the host brings its own."
RULES = (
    DockerfileRule(
        *("DF-DRIVER-1", "the driver is installed", "error", _WHY, _driver),
        bad=on_cuda("RUN apt-get update && apt-get install -y nvidia-utils-550 && rm -rf /var/lib/apt/lists/*"),
        good=on_cuda("ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility"),
    ),
    DockerfileRule(
        *("DF-DRIVER-2", "a package that pulls the driver is installed", "error", _WHY, _meta),
        bad=on_cuda("RUN apt-get update && apt-get install -y cuda-runtime-12-9 && rm -rf /var/lib/apt/lists/*"),
        good=on_cuda("RUN apt-get update && apt-get install -y cuda-libraries-12-9 && rm -rf /var/lib/apt/lists/*"),
    ),
    DockerfileRule(
        *("DF-DRIVER-3", "kernel modules are built or loaded", "error"),
        *("A container has the host's kernel: modules for it are made and loaded on the host.", _kernel),
        bad=on_cuda("RUN apt-get update && apt-get install -y dkms && rm -rf /var/lib/apt/lists/*"),
        good=on_cuda("RUN apt-get update && apt-get install -y linux-libc-dev && rm -rf /var/lib/apt/lists/*"),
    ),
    DockerfileRule(
        *("DF-DRIVER-4", "an installer of the driver is used", "error"),
        *("It needs kernel headers to do its work, and leaves a driver that no host wants.", _runfile),
        bad=on_cuda("ADD NVIDIA-Linux-x86_64-550.54.14.run /tmp/"),
        good="FROM ubuntu:24.04 AS build\nCOPY *.run /tmp/\nRUN sh /tmp/cuda_12.9.1_linux.run --silent --toolkit\n"
        + on_cuda("COPY --from=build /opt/made /opt/made"),
    ),
    DockerfileRule(
        *("DF-DRIVER-5", "files of the driver are copied", "error", _WHY, _copied),
        bad=on_cuda("COPY libcuda.so.550.54.14 /usr/lib/x86_64-linux-gnu/"),
        good=on_cuda("COPY libmine.so /usr/lib/x86_64-linux-gnu/"),
    ),
    DockerfileRule(
        *("DF-DRIVER-6", "device nodes are made", "error"),
        *("Their numbers differ from host to host; the runtime makes those that a container is to have.", _nodes),
        bad=on_cuda("RUN mknod /dev/nvidia0 c 195 0"),
        good=on_cuda("RUN mkdir /opt/state"),
    ),
    DockerfileRule(
        *("DF-DRIVER-7", "the host's container toolkit is installed", "warning"),
        *("It acts when a container is started, from outside; in an image it is weight.", _toolkit),
        bad=on_cuda("RUN apt-get update && apt-get install -y nvidia-container-toolkit && rm -rf /var/lib/apt/lists/*"),
        good=on_cuda("RUN apt-get update && apt-get install -y libgomp1 && rm -rf /var/lib/apt/lists/*"),
    ),
    DockerfileRule(
        *("DF-DRIVER-8", "CUDA is the distribution's", "warning"),
        *("It is old, has about 3 GB, and brings libcuda with it.", _distribution),
        bad=on_cuda("RUN apt-get update && apt-get install -y nvidia-cuda-toolkit && rm -rf /var/lib/apt/lists/*"),
        good=on_cuda(),
    ),
)
