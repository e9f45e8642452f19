"""The plan carried out, step by step, and taken back.

Before and after each step the host is looked at anew: what is done already is never run, and a step has worked only
if its check says so. So the run may end anywhere, and the next one goes on from what it finds.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from linkspan.errors import HostError, KernelError, RequestError
from linkspan.kernel.signals import held_back
from linkspan.setup import shell
from linkspan.setup.journal import Entry, Journal
from linkspan.setup.model import KEYS, Plan, Step

Look = Callable[[], Plan]
"""Looks at the host, and makes its plan as it is now."""
Tell = Callable[[str], None]


class Choice(NamedTuple):
    """Which steps: those of ``only``, or all, without those of ``skip``."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()

    def check(self) -> None:
        """RequestError for a step that there is not."""
        for key in (*self.only, *self.skip):
            if key not in KEYS:
                raise RequestError(f"there is no step {key!r}", hint=f"the steps are {', '.join(KEYS)}", subject=key)

    def takes(self, key: str) -> bool:
        """Whether a step is among them."""
        return (not self.only or key in self.only) and key not in self.skip


class Outcome(NamedTuple):
    """How a run ended: with all steps done, or with one that waits for a restart."""

    kind: Literal["done", "restart"]
    reason: str = ""


class Run(NamedTuple):
    """What a run works with: how it looks, what it writes down, whom it tells, what its commands see."""

    look: Look
    journal: Journal
    tell: Tell
    env: Mapping[str, str]


def carry_out(run: Run, choice: Choice) -> Outcome:
    """Do what is to do. Raises HostError or KernelError at the first step that fails; the journal then has it."""
    with run.journal.locked():
        for key in [step.key for step in run.look().steps if choice.takes(step.key)]:
            step = run.look().step(key)  # anew: what came before may have changed it
            if step is None:
                continue
            waits = _pass(run, step)
            if waits:
                return Outcome("restart", waits)
    return Outcome("done")


def _pass(run: Run, step: Step) -> str:
    """One step; what it waits for, if it does."""
    entry = run.journal.entry(step.key)
    if step.done and entry and entry.cut_off:
        _go_on(run, step, entry)
    elif step.done:
        run.tell(f"{step.key}: done already: {step.found}")
        if entry and entry.progress != "applied":
            run.journal.put(msgspec.structs.replace(entry, progress="applied", failure=""))
    elif step.state == "by hand":
        raise HostError(f"{step.title}: {step.found}, and no command is known for it here", hint=step.check)
    else:
        run.tell(f"{step.key}: {step.title}")
        step = _do(run, step, run.journal.begin(step)) if step.commands else step
    return "" if step.done else step.restart


def _go_on(run: Run, step: Step, entry: Entry) -> None:
    """A step that was cut off after what its check looks at: what came behind that is still to be run."""
    run.tell(f"{step.key}: {step.title}, which was cut off before")
    _do(run, msgspec.structs.replace(step, commands=entry.commands), entry)


def _do(run: Run, step: Step, entry: Entry) -> Step:
    """Run the commands of a step from where its entry is, and look whether that has worked; the step as it is then."""
    try:
        _commands(run, step, entry)
        after = _verified(run, step)
    except (HostError, KernelError) as error:
        _put(run, step.key, progress="failed", failure=error.message)
        raise
    _put(run, step.key, progress="applied" if after.done else "waiting", failure="")
    return after


def _put(run: Run, key: str, **changes: Any) -> None:
    entry = run.journal.entry(key)
    if entry is not None:
        run.journal.put(msgspec.structs.replace(entry, **changes))


def _commands(run: Run, step: Step, entry: Entry) -> None:
    answers = _one_time_password(run) if step.password else None
    for number, line in enumerate(step.commands[entry.ran :], entry.ran + 1):
        run.tell(f"  $ {line}")
        with held_back():  # a package manager that is killed leaves a system that nothing can be installed on
            shell.execute(line, run.env, answers)
            _put(run, step.key, ran=number)


def _one_time_password(run: Run) -> str:
    """What mokutil asks for, twice; the firmware asks once more at the next start, and then never again."""
    password = f"{secrets.randbelow(10**8):08d}"
    run.tell(f"  the firmware will ask for this password, once: {password}")
    return f"{password}\n{password}\n"


def _verified(run: Run, step: Step) -> Step:
    after = run.look().step(step.key)
    if after is None or after.done or (after.restart and not after.commands):
        return after or step
    hint = f"how it is known to have worked: {step.verify}"
    raise HostError(f"the commands of the step {step.key} ended well, and yet: {after.found}", hint=hint)


def take_back(run: Run, choice: Choice) -> list[str]:
    """Undo what was applied, the last first; the keys of what was undone. Raises KernelError where a command fails."""
    undone: list[str] = []
    with run.journal.locked():
        for entry in reversed(run.journal.entries()):
            if choice.takes(entry.key):
                run.tell(f"{entry.key}: {entry.title}")
                _undo(run, entry)
                undone.append(entry.key)
    return undone


def _undo(run: Run, entry: Entry) -> None:
    for line in entry.undo:
        run.tell(f"  $ {line}")
        with held_back():
            shell.execute(line, run.env)
    run.journal.drop(entry.key)
