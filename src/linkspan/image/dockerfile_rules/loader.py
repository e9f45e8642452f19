"""What the dynamic loader is told: its search path, stubs, and CUDA's compatibility libraries."""

import re
from collections.abc import Callable, Iterator

from linkspan.image import stages
from linkspan.image.dockerfile_model import DockerfileRule, Fault, Run, Subject, on_cuda
from linkspan.image.dockerfile_rules import base
from linkspan.image.stages import Step

PATH = "LD_LIBRARY_PATH"
STUBS = re.compile(r"/stubs(/|\s|$)")
COMPAT = re.compile(r"/cuda[^/]*/compat(/|\s|$)")


def raw_of(step: Step, escape: str) -> str:
    """The loader's path as an ENV writes it, unexpanded."""
    return dict(stages.pairs(step.instruction, escape)).get(PATH, "")


def _settings(subject: Subject) -> Iterator[tuple[Step, str, str]]:
    for step, value in subject.sets(PATH):
        yield step, value, raw_of(step, subject.dockerfile.escape).strip("'\"")


def _replaced(subject: Subject) -> Iterator[Fault]:
    for step, _, raw in _settings(subject):
        had = subject.base.is_nvidia or PATH in step.variables
        if had and PATH not in raw:
            cause = "LD_LIBRARY_PATH is replaced, and what the base had in it is lost"
            fix = f"write LD_LIBRARY_PATH={raw}${{LD_LIBRARY_PATH:+:${{LD_LIBRARY_PATH}}}}"
            yield Fault(step.instruction.line_of(PATH), cause, fix)


def _empty(subject: Subject) -> Iterator[Fault]:
    for step, value, raw in _settings(subject):
        # Only of plain systems is it known that they do not set it.
        from_base = PATH in step.unknown and not base.PLAIN.fullmatch(subject.base.name)
        if value and not from_base and "" in value.split(":"):
            cause = "an empty part of LD_LIBRARY_PATH stands for the current folder"
            whole = re.sub(r":\$\{?LD_LIBRARY_PATH\}?$", "${LD_LIBRARY_PATH:+:${LD_LIBRARY_PATH}}", raw)
            yield Fault(step.instruction.line_of(PATH), cause, f"write LD_LIBRARY_PATH={whole.strip(':')}")


def _stubs(subject: Subject) -> Iterator[Fault]:
    yield from _on_path(subject, STUBS, "stubs to link with")
    for run in subject.runs:
        yield from _registered(run, STUBS, "stubs to link with", _is_undone)
        for command in run.commands:
            links = command.program in ("ln", "cp") and STUBS.search(command.text) and "libcuda.so" in command.text
            if links and not _is_undone(run):
                fix = "set LIBRARY_PATH for that build step alone, or remove the link in the same RUN"
                line = run.instruction.line_of("stubs")
                yield Fault(line, "the stub of libcuda is given the place of the driver", fix)


def _compat(subject: Subject) -> Iterator[Fault]:
    yield from _on_path(subject, COMPAT, "CUDA's compatibility libraries")
    for run in subject.runs:
        yield from _registered(run, COMPAT, "CUDA's compatibility libraries", lambda _: False)


def _on_path(subject: Subject, folder: re.Pattern[str], what: str) -> Iterator[Fault]:
    for step, value in subject.sets(PATH):
        inherited = (step.variables.get(PATH) or "").split(":")
        for part in value.split(":"):
            if folder.search(part) and part not in inherited:
                line = step.instruction.line_of(part)
                yield Fault(line, f"{what} are on LD_LIBRARY_PATH", f"take {part} out of LD_LIBRARY_PATH")


def _registered(run: Run, folder: re.Pattern[str], what: str, undone: Callable[[Run], bool]) -> Iterator[Fault]:
    for command in run.commands:
        written = "ld.so.conf" in command.text and folder.search(command.text)
        named = command.program == "ldconfig" and any(folder.search(word) for word in command.arguments)
        if (written or named) and not undone(run):
            line = run.instruction.line_of("stubs" if folder is STUBS else "compat")
            yield Fault(line, f"the loader is told of {what}", f"take '{command.text[:80]}' out")


def _is_undone(run: Run) -> bool:
    """Whether the same RUN takes the stub away again."""
    return any(command.program == "rm" and "libcuda" in command.text for command in run.commands)


RULES = (
    DockerfileRule(
        *("DF-LOADER-1", "LD_LIBRARY_PATH is replaced", "warning"),
        *("The base's own folders, with CUDA's or the driver's libraries, are no longer searched.", _replaced),
        bad=on_cuda("ENV LD_LIBRARY_PATH=/opt/lib"),
        good=on_cuda("ENV LD_LIBRARY_PATH=/opt/lib${LD_LIBRARY_PATH:+:${LD_LIBRARY_PATH}}"),
    ),
    DockerfileRule(
        *("DF-LOADER-2", "libraries are searched in the current folder", "warning"),
        *("Whoever can write there has their library loaded.", _empty),
        bad='FROM ubuntu:24.04\nENV LD_LIBRARY_PATH=/opt/lib:$LD_LIBRARY_PATH\nUSER 10001\nCMD ["/opt/app"]\n',
        good='FROM ubuntu:24.04\nENV LD_LIBRARY_PATH=/opt/lib\nUSER 10001\nCMD ["/opt/app"]\n',
    ),
    DockerfileRule(
        *("DF-LOADER-3", "stubs are where the loader looks", "error"),
        *("A program finds the stub in the driver's place, and says 'CUDA driver is a stub library'.", _stubs),
        bad=on_cuda("RUN ldconfig /usr/local/cuda/lib64/stubs"),
        good=on_cuda("RUN LIBRARY_PATH=/usr/local/cuda/lib64/stubs make"),
    ),
    DockerfileRule(
        *("DF-LOADER-4", "the compatibility libraries are where the loader looks", "error"),
        *("On a newer driver or a GeForce they fail with error 803 or 804; the toolkit adds them where they fit.",),
        look=_compat,
        bad=on_cuda("ENV LD_LIBRARY_PATH=/usr/local/cuda/compat:${LD_LIBRARY_PATH}"),
        good=on_cuda("RUN ls /usr/local/cuda/compat"),
    ),
)
