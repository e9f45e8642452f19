"""What the doctor says: findings on the links of one chain.

A GPU container works when every link of the chain holds, and each stands on those before it. So of several findings
the one on the earliest link is the one to mend first, and what comes after it was not reached.
"""

from typing import Literal

from linkspan.facts.model import Model

Link = Literal[
    "pci",
    "module",
    "version",
    "nodes",
    "libraries",
    "loader-cache",
    "bridge",
    "engine-config",
    "engine",
    "request",
    "injection",
    "image",
]

LINKS: dict[Link, str] = {
    "pci": "PCI device",
    "module": "kernel module",
    "version": "version match",
    "nodes": "device nodes",
    "libraries": "driver libraries",
    "loader-cache": "loader cache",
    "bridge": "bridge: CDI spec or runtime",
    "engine-config": "engine configuration",
    "engine": "running engine",
    "request": "request",
    "injection": "injection",
    "image": "image",
}
"""The links in their order, from hardware to application, with the words for people."""

Severity = Literal["critical", "error", "warning", "info"]

Horizon = Literal["now", "later", "insecure"]
"""Broken now; what will break at the next reload, driver update or reboot; what works, and is not safe."""


class Evidence(Model, frozen=True, kw_only=True):
    """Something that was read: which file (or process), which field of it, and the value that stood there."""

    subject: str
    field: str = ""
    value: str = ""


class WriteFile(Model, frozen=True, kw_only=True, tag="write"):
    """Write a file whole; ``was`` None: it is not there yet."""

    path: str
    was: str | None
    text: str
    mode: int = 0o644


class MakeLink(Model, frozen=True, kw_only=True, tag="link"):
    """Make a symlink where none stands."""

    path: str
    target: str


class MakeNode(Model, frozen=True, kw_only=True, tag="node"):
    """Make a character device where nothing stands, or in place of one with other numbers (``was``)."""

    path: str
    major: int
    minor: int
    mode: int = 0o666
    was: tuple[int, int] | None = None


class RunProgram(Model, frozen=True, kw_only=True, tag="run"):
    """Run a command of the remedy; ``undo`` takes it back, empty where it cannot be taken back."""

    argv: tuple[str, ...]
    undo: tuple[str, ...] = ()


Action = WriteFile | MakeLink | MakeNode | RunProgram


class Remedy(Model, frozen=True, kw_only=True):
    """What to do: a sentence, and the commands for this host, each of which exists there.

    ``actions`` are what ``doctor --fix`` can do by itself; empty where only a person can (reboot, choose a driver).
    """

    text: str
    commands: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()


class Found(Model, frozen=True, kw_only=True):
    """What a rule yields: the cause in one sentence, what was read, what to do.

    ``about`` is what it is about where there may be several: an engine, a container, a GPU. ``link``, ``severity`` and
    ``horizon`` are the rule's own where they are None.
    """

    cause: str
    evidence: tuple[Evidence, ...]
    remedy: Remedy
    about: str = ""
    link: Link | None = None
    severity: Severity | None = None
    horizon: Horizon | None = None


class Finding(Model, frozen=True, kw_only=True):
    """A finding as it is reported: what the rule found, with what is known of that failure (see ``catalogue``)."""

    id: str
    title: str
    link: Link
    severity: Severity
    horizon: Horizon
    cause: str
    symptoms: tuple[str, ...]
    why: str
    evidence: tuple[Evidence, ...]
    remedy: Remedy
    about: str = ""
    links: tuple[str, ...] = ()


class Unanswered(Model, frozen=True, kw_only=True):
    """A rule that gave no answer: it took too long, or failed; ``reason`` is a sentence."""

    id: str
    reason: str


class Report(Model, frozen=True, kw_only=True):
    """All that one run of the doctor says. ``looked_at`` is the root that was looked below."""

    looked_at: str = "/"
    findings: tuple[Finding, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()
    held: dict[Link, str] = {}
    """What stands on a link, in a few words; no entry for a link of which this host has nothing."""
