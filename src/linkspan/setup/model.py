"""The plan of a host, as data: ordered steps, each with how it is done, checked and taken back."""

from typing import Literal

from linkspan.facts.model import Model

State = Literal["done", "to do", "after a restart", "by hand"]

KEYS = (
    "repository",
    "headers",
    "nouveau",
    "driver",
    "secure-boot",
    "module",
    "fabric-manager",
    "persistence",
    "nodes",
    "engine",
    "linkspan",
    "cdi",
    "configure",
    "doctor",
)
"""The steps in their order. Those that a host has no need of are not in its plan."""


class Step(Model, frozen=True, kw_only=True):
    """One step.

    ``found`` says what the check saw on this host. ``commands`` and ``undo`` are lines for a POSIX shell, to be run by
    root; running them twice does no harm. ``verify`` is how it is known to have worked, in words: the check is made
    again. ``restart`` says why the step is complete only after a restart of the host, empty where it needs none.
    ``password`` is True where a command asks for a password of the user's choice, and once more for the same.
    """

    key: str
    title: str
    why: str
    check: str
    found: str
    done: bool
    commands: tuple[str, ...] = ()
    verify: str = ""
    undo: tuple[str, ...] = ()
    restart: str = ""
    password: bool = False

    @property
    def state(self) -> State:
        """Whether it is done, has something to run, waits for a restart alone, or is for a person to do."""
        if self.done:
            return "done"
        if self.commands:
            return "to do"
        return "after a restart" if self.restart else "by hand"


class Plan(Model, frozen=True, kw_only=True):
    """What a host needs.

    ``driver`` says in a sentence which driver was chosen, and why. ``reason`` is a sentence: why there is no plan for
    this host, and what to do instead; there are no steps then. ``notes`` are worth knowing, and no step.
    """

    system: str
    kernel: str
    gpus: tuple[str, ...] = ()
    driver: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()

    def step(self, key: str) -> Step | None:
        """The step of this key, None where this host has no need of it."""
        return next((step for step in self.steps if step.key == key), None)

    @property
    def complete(self) -> bool:
        """Whether every step is done."""
        return not self.reason and all(step.done for step in self.steps)
