"""A case of the contract: something is done with a program under test, and its answer is compared as text."""

import dataclasses
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.programs import Programs

Program = Literal["runtime", "hook", "cdi hook", "cli"]
REFUSED = "refused"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came of it in short, and what the program said."""

    text: str
    said: str = ""


@dataclasses.dataclass(frozen=True)
class Case:
    """What is done (``act``) with a program, and what has to come of it.

    ``better`` is linkspan's answer where that is another one on purpose, and ``why``; another toolkit may give either.
    """

    program: Program
    name: str
    expected: str
    act: "Callable[[Programs], Answer]"
    better: str | None = None
    why: str = ""

    @property
    def ours(self) -> str:
        """What linkspan has to answer."""
        return self.expected if self.better is None else self.better

    def __str__(self) -> str:
        """For test ids."""
        return f"{self.program}: {self.name}"

    def verdict(self, answer: Answer | None) -> str:
        """How an answer stands to the contract; None is that of a program that there is not."""
        if answer is None:
            return "skipped: there is no such program"
        if answer.text == self.expected:
            return "as the contract" if self.better is None else f"as the contract; better would be: {self.why}"
        return f"better: {self.why}" if answer.text == self.ours else f"other: {answer.said.splitlines()[-1:]}"
