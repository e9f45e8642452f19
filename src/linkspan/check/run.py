"""Runs the rules where nothing can stop the doctor: in a child that is left behind when a file of the driver hangs.

A read of a broken driver's file can hang in the kernel, where no signal reaches it. So the rules run in a forked child,
which notes each path before it reads it and sends what it finds through a pipe. Where it falls silent for too long, the
parent leaves it, starts another that counts the noted path as not there, and says so in the report.
"""

import contextlib
import mmap
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from linkspan.check import verdict
from linkspan.check.eyes import Eyes, Ledger, live, pack, unpack
from linkspan.check.held import held
from linkspan.check.model import Finding, Link, Report, Unanswered
from linkspan.check.registry import Rule, findings
from linkspan.check.scene import Scene

TIME_S = 2.0
"""How long one rule may take, in seconds; all of them together take a few tenths on a healthy host."""
RESTARTS = 8
"""After how many hung files the rest of the rules are given up."""
_NOTE = 4096
"""The longest path that is noted, in bytes."""


class Sent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the child says of one rule; after the last one what stands on each link, and all that was read."""

    rule: int
    findings: tuple[Finding, ...] = ()
    failure: str = ""
    held: dict[Link, str] = {}
    known: str = ""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What a run gave: the report, and what was read for it, where that was asked for."""

    report: Report
    known: dict[str, Any] = {}


def examine(
    root: str, rules: Sequence[Rule], *, record: bool = False, open_eyes: Callable[[str, Ledger], Eyes] = live
) -> Examined:
    """Run rules on the host below a root."""
    return _Run(root, rules, record, open_eyes).all()


class _Run:
    """One run: a child at a time, and what is known so far."""

    def __init__(
        self, root: str, rules: Sequence[Rule], record: bool, open_eyes: Callable[[str, Ledger], Eyes]
    ) -> None:
        self.root, self.rules, self.record, self.open_eyes = root, rules, record, open_eyes
        self.note = mmap.mmap(-1, _NOTE)
        self.avoid: frozenset[str] = frozenset()
        self.found: list[Finding] = []
        self.unanswered: list[Unanswered] = []
        self.held: dict[Link, str] = {}
        self.known: dict[str, Any] = {}
        self.next = 0
        self.done = False

    def all(self) -> Examined:
        """Child after child, until one has nothing left to do."""
        restarts = 0
        while not self.done and restarts < RESTARTS:
            if not self._one_child():
                restarts += 1
                self._leave_path()
        late = self.rules[self.next :]
        self.unanswered += [Unanswered(id=rule.id, reason="too many files of this host hang") for rule in late]
        report = Report(
            looked_at=self.root,
            findings=verdict.in_order(self.found),
            unanswered=tuple(self.unanswered),
            held=self.held,
        )
        return Examined(report=report, known=self.known)

    def _leave_path(self) -> None:
        path = self._noted()
        reason = f"reading {path or 'the host'} gave no answer within {TIME_S:g} s"
        self.unanswered.append(Unanswered(id=self._name(), reason=reason))
        if path in self.avoid:  # so it is not the path: give this rule up
            self.next += 1
        elif self.record:  # what the child that hangs has read is lost
            self.next, self.found = 0, []
        self.avoid |= {path}

    def _name(self) -> str:
        """The rule that is being asked; after the last one it is the summary."""
        return self.rules[self.next].id if self.next < len(self.rules) else "summary"

    def _noted(self) -> str:
        return self.note[:_NOTE].partition(b"\0")[0].decode("utf-8", "replace")

    def _one_child(self) -> bool:
        """Let a child do what is left to do; False where it fell silent."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            _child(self, writer)
        os.close(writer)
        try:
            return self._listen(reader)
        finally:
            os.close(reader)
            _end(pid)

    def _listen(self, reader: int) -> bool:
        rest = b""
        deadline = time.monotonic() + TIME_S
        while select.select([reader], [], [], max(0.0, deadline - time.monotonic()))[0]:
            part = os.read(reader, 1 << 20)
            if not part:
                return self._ended()
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                self._take(msgspec.json.decode(line, type=Sent))
                deadline = time.monotonic() + TIME_S
        return False

    def _ended(self) -> bool:
        """The child has closed its end: it is done, or it died, and then the rule it was at has no answer."""
        if not self.done:
            reason = "the look at this host ended in the middle, which is a bug in linkspan"
            self.unanswered.append(Unanswered(id=self._name(), reason=reason))
            self.done = self.next >= len(self.rules)
            self.next += 1
        return True

    def _take(self, sent: Sent) -> None:
        if sent.rule >= len(self.rules):
            self.held, self.done = sent.held, True
            self.known = unpack(sent.known.encode()) if sent.known else {}
            return
        self.found += sent.findings
        if sent.failure:
            self.unanswered.append(Unanswered(id=self.rules[sent.rule].id, reason=sent.failure))
        self.next = sent.rule + 1


def _child(run: _Run, writer: int) -> None:
    """The child's whole life; it never returns."""
    code = 1
    try:
        ledger = Ledger(run.avoid, lambda path: _note(run.note, path))
        scene = Scene(run.open_eyes(run.root, ledger))
        with open(writer, "wb") as pipe:
            for sent in _answers(run, scene):
                pipe.write(msgspec.json.encode(sent) + b"\n")
                pipe.flush()
            stands = held(scene)
            known = pack(ledger.known).decode() if run.record else ""
            pipe.write(msgspec.json.encode(Sent(rule=len(run.rules), held=stands, known=known)) + b"\n")
        code = 0
    finally:
        os._exit(code)


def _answers(run: _Run, scene: Scene) -> Iterator[Sent]:
    for number in range(run.next, len(run.rules)):
        try:
            yield Sent(rule=number, findings=tuple(findings(run.rules[number], scene)))
        except Exception as error:  # one rule's bug must not cost the answers of the others
            yield Sent(rule=number, failure=f"a bug in linkspan: {type(error).__name__}: {error}")


def _note(note: mmap.mmap, path: str) -> None:
    data = path.encode("utf-8", "surrogateescape")[: _NOTE - 1] + b"\0"
    note[: len(data)] = data


def _end(pid: int) -> None:
    """Kill the child and take its ending, if that comes: one that hangs in the kernel is left to it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    for _ in range(20):
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.005)
