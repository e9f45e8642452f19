"""One thing that is asked of a program, whatever the area: what has to come of it, and what did, each one line."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.contract.programs import Programs

Program = Literal["runtime", "hook", "cdi-hook", "cli"]
NO_PROGRAM = "skipped: no such program"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a program did, in a line, and what it said on its error stream."""

    given: str
    said: str = ""


@dataclasses.dataclass(frozen=True)
class Case:
    """``wanted`` is the contract's answer, ``better`` is linkspan's where that is another one, and ``why``."""

    program: Program
    name: str
    wanted: str
    ask: Callable[["Programs"], Answer]
    better: str | None = None
    why: str = ""

    @property
    def ours(self) -> str:
        """What linkspan has to answer."""
        return self.wanted if self.better is None else self.better

    def __str__(self) -> str:
        """For test ids."""
        return f"{self.program}: {self.name}"


def verdict(case: Case, answer: Answer) -> str:
    """How an answer stands to the contract."""
    if answer.given == NO_PROGRAM:
        return "skipped"
    if answer.given == case.wanted:
        return "as the contract" if case.better is None else f"as the contract; better would be: {case.why}"
    return f"better: {case.why}" if answer.given == case.better else f"other: {answer.said.splitlines()[-1:]}"
