"""Variables that ask for GPUs, and variables that hold secrets."""

import re
from collections.abc import Iterator

from linkspan.image.dockerfile_model import DockerfileRule, Fault, Subject, on_cuda
from linkspan.image.dockerfile_rules import base
from linkspan.plan.model import CAPABILITIES

_SECRET = re.compile(
    r"(^|_)(TOKEN|PASSWORD|PASSWD|SECRET|API_?KEY|ACCESS_KEY(_ID)?|PRIVATE_KEY|CREDENTIALS?|NETRC)(_|$)", re.IGNORECASE
)
_PLACE = re.compile(r"_(FILE|PATH|DIR|URL|NAME|ID)$", re.IGNORECASE)
_OTHER_ACCELERATORS = re.compile(
    r"whl/(cpu|rocm|xpu)|\+cpu\b|neuron|rocm|habana|gaudi|openvino|ipex|libtpu", re.IGNORECASE
)
"""What a RUN names where the framework is not to use NVIDIA's GPUs."""
_DEBUGGING = ("CUDA_LAUNCH_BLOCKING", "TORCH_USE_CUDA_DSA", "NCCL_P2P_DISABLE", "NCCL_IB_DISABLE", "NCCL_DEBUG")


def _visible(subject: Subject) -> Iterator[Fault]:
    for step, value in subject.sets("NVIDIA_VISIBLE_DEVICES"):
        if value != "all" and not step.unknown:
            cause = f"NVIDIA_VISIBLE_DEVICES is {value or 'empty'}"
            yield Fault(step.instruction.line_of("NVIDIA_VISIBLE_DEVICES"), cause, "write NVIDIA_VISIBLE_DEVICES=all")


def _cuda_visible(subject: Subject) -> Iterator[Fault]:
    for step, value in subject.sets("CUDA_VISIBLE_DEVICES"):
        cause = f"CUDA_VISIBLE_DEVICES is {value or 'empty'}, whichever GPUs the container has"
        fix = "take it out; it is given when the container is started, where it is wanted"
        yield Fault(step.instruction.line_of("CUDA_VISIBLE_DEVICES"), cause, fix)


def _capabilities(subject: Subject) -> Iterator[Fault]:
    for step, value in subject.sets("NVIDIA_DRIVER_CAPABILITIES"):
        words = value.split(",")
        wrong = [word for word in words if word.strip() not in (*CAPABILITIES, "all", "")]
        spaced = [word for word in words if word != word.strip()]
        if wrong or spaced:
            what = f"has no {wrong[0].strip()!r}" if wrong else "is written without spaces"
            cause = f"the list of driver capabilities {what}"
            fix = f"write NVIDIA_DRIVER_CAPABILITIES={mended_capabilities(value)}"
            yield Fault(step.instruction.line_of("NVIDIA_DRIVER_CAPABILITIES"), cause, fix)


def mended_capabilities(value: str) -> str:
    """The capabilities of a faulty list that there are, in the right spelling; the usual two where there is none."""
    words = (word.strip().lower() for word in value.split(","))
    return ",".join(word for word in words if word in (*CAPABILITIES, "all")) or "compute,utility"


def _all_capabilities(subject: Subject) -> Iterator[Fault]:
    for step, value in subject.sets("NVIDIA_DRIVER_CAPABILITIES"):
        if "all" in value.split(","):
            fix = "name those that are needed, mostly NVIDIA_DRIVER_CAPABILITIES=compute,utility"
            line = step.instruction.line_of("NVIDIA_DRIVER_CAPABILITIES")
            yield Fault(line, "all capabilities of the driver are asked for", fix)


def _requirements(subject: Subject) -> Iterator[Fault]:
    for step in subject.steps:
        for name, value in step.sets.items() if step.instruction.keyword == "ENV" else ():
            disables = name == "NVIDIA_DISABLE_REQUIRE" and value.lower() in ("1", "t", "true")
            empties = name == "NVIDIA_REQUIRE_CUDA" and not value and not step.unknown
            if disables or empties:
                cause = f"{name}={value} turns off the check of the driver when a container starts"
                fix = "take it out; whoever runs the image gives it, at their own risk"
                yield Fault(step.instruction.line_of(name), cause, fix)


def _no_request(subject: Subject) -> Iterator[Fault]:
    wants = sorted(subject.projects & base.GPU_PROJECTS)
    # Frameworks' own images and NVIDIA's have the variable.
    plain = base.PLAIN.fullmatch(subject.base.name)
    other = any(_OTHER_ACCELERATORS.search(run.text) for run in subject.all_runs)
    if wants and plain and not other and "NVIDIA_VISIBLE_DEVICES" not in subject.environment:
        line = subject.final[-1].start.line
        cause = f"{wants[0]} is installed on {subject.base.name}, and nothing asks for GPUs"
        fix = "write ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility"
        yield Fault(line, cause, fix)


def _debugging(subject: Subject) -> Iterator[Fault]:
    for name in _DEBUGGING:
        for step, value in subject.sets(name):
            if value not in ("0", "", "WARN", "VERSION"):
                line = step.instruction.line_of(name)
                yield Fault(line, f"{name}={value} is for looking for faults", "take it out; give it when it is needed")


def _secrets(subject: Subject) -> Iterator[Fault]:
    for stage in subject.needed:
        for step in stage.steps:
            one = step.instruction
            for name, value in step.sets.items() if one.keyword in ("ARG", "ENV") else ():
                if _SECRET.search(name) and not _PLACE.search(name) and (value or one.keyword == "ARG"):
                    fix = (
                        f"take it out, and use RUN --mount=type=secret,id={name.lower()},env={name} where it is needed"
                    )
                    yield Fault(one.line_of(name), f"{name} is kept in the image's history, for everyone to read", fix)


RULES = (
    DockerfileRule(
        *("DF-ENV-1", "the image asks for GPUs that hosts may not have", "warning"),
        *("Which GPUs a container gets is said when it is started; an image asks for all, or for none.", _visible),
        bad=on_cuda("ENV NVIDIA_VISIBLE_DEVICES=0,1"),
        good=on_cuda("ENV NVIDIA_VISIBLE_DEVICES=all"),
    ),
    DockerfileRule(
        *("DF-ENV-2", "CUDA is told which GPUs to use", "warning"),
        *("Of a container's GPUs, which CUDA counts from 0, it hides all others; with another set it hides all.",),
        look=_cuda_visible,
        bad=on_cuda("ENV CUDA_VISIBLE_DEVICES=1"),
        good=on_cuda("ENV CUDA_DEVICE_ORDER=PCI_BUS_ID"),
    ),
    DockerfileRule(
        *("DF-ENV-3", "a driver capability is misspelt", "error"),
        *("The container does not start, or lacks the libraries without a word.", _capabilities),
        bad=on_cuda('ENV NVIDIA_DRIVER_CAPABILITIES="Compute, utility"'),
        good=on_cuda("ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility"),
    ),
    DockerfileRule(
        *("DF-ENV-4", "all driver capabilities are asked for", "info"),
        *("Graphics libraries come along, and hosts without them refuse.", _all_capabilities),
        bad=on_cuda("ENV NVIDIA_DRIVER_CAPABILITIES=all"),
        good=on_cuda("ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility,video"),
    ),
    DockerfileRule(
        *("DF-ENV-5", "the check of the driver is off", "warning"),
        *("On a driver too old the container starts, and the program fails later and with worse words.", _requirements),
        bad=on_cuda("ENV NVIDIA_DISABLE_REQUIRE=1"),
        good=on_cuda('ENV NVIDIA_REQUIRE_CUDA="cuda>=12.9"'),
    ),
    DockerfileRule(
        *("DF-ENV-6", "nothing asks for GPUs", "warning"),
        *("An image without NVIDIA_VISIBLE_DEVICES gets a GPU only where whoever starts it thinks of it.", _no_request),
        bad='FROM python:3.12-slim-trixie\nRUN pip install --no-cache-dir torch\nUSER 10001\nCMD ["python"]\n',
        good="FROM python:3.12-slim-trixie\nENV NVIDIA_VISIBLE_DEVICES=all\n"
        'RUN pip install --no-cache-dir torch\nUSER 10001\nCMD ["python"]\n',
    ),
    DockerfileRule(
        *("DF-ENV-7", "settings for debugging are in the image", "info"),
        *("They cost speed or fill logs, in production and for everyone.", _debugging),
        bad=on_cuda("ENV CUDA_LAUNCH_BLOCKING=1"),
        good=on_cuda("ENV NCCL_DEBUG=WARN"),
    ),
    DockerfileRule(
        *("DF-SECRET-1", "a secret is an ARG or ENV", "error"),
        *("Both are written into the image's history, in which everyone who has the image can read them.", _secrets),
        bad=on_cuda("ARG HF_TOKEN", "RUN fetch-model"),
        good=on_cuda("RUN --mount=type=secret,id=hf_token,env=HF_TOKEN fetch-model"),
    ),
)
