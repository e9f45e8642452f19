"""What a rule on Dockerfiles is given, and what it says."""

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

import msgspec

from linkspan.check.model import Severity
from linkspan.facts.model import Model
from linkspan.image import shell_commands, stages
from linkspan.image.dockerfile import Dockerfile, Instruction
from linkspan.image.shell_commands import Command, Pip
from linkspan.image.stages import Stage, Step


class DockerfileFinding(Model, frozen=True, kw_only=True):
    """A fault of a Dockerfile: where (lines count from 1), why it is one, and the exact fix."""

    id: str
    title: str
    severity: Severity
    line: int
    cause: str
    fix: str
    why: str


class Fault(NamedTuple):
    """What a rule yields: the line, the cause in one sentence, and what to write instead."""

    line: int
    cause: str
    fix: str


class Run(NamedTuple):
    """A RUN instruction with its commands."""

    step: Step
    commands: tuple[Command, ...]

    @property
    def instruction(self) -> Instruction:
        """The instruction."""
        return self.step.instruction

    @property
    def packages(self) -> dict[str, str]:
        """The distribution's packages that it leaves installed: name to the name as it is written."""
        return shell_commands.installed(self.commands)

    @property
    def pips(self) -> tuple[Pip, ...]:
        """The installations of Python packages."""
        return tuple(shell_commands.pips(self.commands))

    @property
    def text(self) -> str:
        """All that runs, here-documents included."""
        return "\n".join((self.instruction.value, *(one.body for one in self.instruction.heredocs)))

    def caches(self, part: str) -> bool:
        """Whether a cache or tmpfs is mounted on a folder with this in its name, for this RUN alone."""
        mounts = [value for name, value in self.instruction.flags if name == "mount"]
        return any(re.search(r"type=(cache|tmpfs)", mount) and part in mount for mount in mounts)


class Base(NamedTuple):
    """An image's name, taken apart."""

    name: str
    tag: str
    digest: str

    @property
    def is_nvidia(self) -> bool:
        """Whether NVIDIA made it: variables and driver checks are in it already."""
        return bool(re.search(r"(^|/)nvidia/|^nvcr\.io/", self.name))

    @property
    def is_cuda(self) -> bool:
        """Whether it is one of the CUDA images."""
        return bool(re.fullmatch(r"((docker\.io|nvcr\.io)/)?nvidia/cuda", self.name))


def base_of(image: str) -> Base:
    """Take an image's name apart: ``nvcr.io/nvidia/cuda:12.9.1-base-ubuntu24.04@sha256:…``."""
    rest, _, digest = image.partition("@")
    folder, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    return Base(folder + slash + name, tag, digest)


class Subject(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A Dockerfile with its stages, as rules look at it."""

    dockerfile: Dockerfile
    stages: tuple[Stage, ...]

    @cached_property
    def final(self) -> tuple[Stage, ...]:
        """The stage that becomes the image, after those that it is built on."""
        return stages.last(self.stages)

    @cached_property
    def needed(self) -> tuple[Stage, ...]:
        """The stages that are built at all, in order."""
        wanted, ahead = set[int](), [self.stages[-1].number]
        while ahead:
            number = ahead.pop()
            if number not in wanted:
                wanted.add(number)
                ahead += self.stages[number].sources
        return tuple(stage for stage in self.stages if stage.number in wanted)

    @cached_property
    def base(self) -> Base:
        """The image that the final stage stands on."""
        return base_of(self.final[0].image)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The instructions that make the image."""
        return tuple(step for stage in self.final for step in stage.steps)

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The RUN instructions that make the image."""
        return tuple(self._runs(self.steps))

    @cached_property
    def all_runs(self) -> tuple[Run, ...]:
        """The RUN instructions of every stage that is built."""
        return tuple(self._runs(tuple(step for stage in self.needed for step in stage.steps)))

    @cached_property
    def environment(self) -> dict[str, str]:
        """What ENV sets in the image."""
        return self.final[-1].environment

    @cached_property
    def projects(self) -> frozenset[str]:
        """The Python packages that the image's own RUN instructions name."""
        named = (name for run in self.all_runs for pip in run.pips for name in pip.packages)
        return frozenset(shell_commands.project(name) for name in named)

    def _runs(self, steps: tuple[Step, ...]) -> Iterator[Run]:
        for step in steps:
            if step.instruction.keyword == "RUN":
                yield Run(step, shell_commands.commands(step.instruction, self.dockerfile.escape))

    def sets(self, name: str) -> Iterator[tuple[Step, str]]:
        """Every ENV of the image that sets a variable, with the value."""
        for step in self.steps:
            if step.instruction.keyword == "ENV" and name in step.sets:
                yield step, step.sets[name]


class DockerfileRule(NamedTuple):
    """A rule: stable id (``DF-DRIVER-1``), what it is about, why that matters, the look, and an example of each kind.

    ``bad`` is a Dockerfile that breaks this rule and no other, ``good`` one that breaks none.
    """

    id: str
    title: str
    severity: Severity
    why: str
    look: Callable[[Subject], Iterator[Fault]]
    bad: str
    good: str


def on_cuda(*lines: str) -> str:
    """An example on a CUDA image, otherwise without fault."""
    return "\n".join(("FROM nvidia/cuda:12.9.1-runtime-ubuntu24.04", *lines, "USER 10001", 'CMD ["/opt/app"]', ""))
