"""What ``engine status`` tells: the files as they stand, and the engine as it runs."""

import os

import msgspec

from linkspan.engines import change, daemon, edits
from linkspan.engines.journal import Journal
from linkspan.engines.model import View, owner
from linkspan.engines.places import Host, Place, read


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One engine's state."""

    engine: str
    config: str
    """The file that linkspan edits, or would."""
    exists: bool
    by_linkspan: bool
    """Whether an edit of ours stands in it."""
    runtime: str
    """The runtime's name that was looked for."""
    program: str
    """What it starts; empty where there is no such runtime."""
    owner: str
    """Whose program that is: linkspan, nvidia, other, or nobody."""
    runtimes: dict[str, str]
    default_runtime: str
    cdi: bool | None
    """The switch in the file; None where it is not set, or where the engine has none."""
    daemon: daemon.Answer
    running_since_before: bool | None
    """Whether the daemon started before the file was last changed; None where none was seen."""


def status(place: Place, journal: Journal, host: Host, name: str) -> Status:
    """Look at the files, and ask the engine."""
    record = journal.load()
    if record:
        place = msgspec.structs.replace(place, target=record.target)
        name = record.wanted.name
    current = read(place.target)
    tree = place.of.SYNTAX.parse(current.text.removeprefix(edits.BOM) or place.of.SEED, place.target)
    view = _with_later(place, change.in_force(place, tree))
    program = view.runtimes.get(name, "")
    return Status(
        engine=place.engine, config=place.target, exists=current.data is not None, by_linkspan=record is not None,
        runtime=name, program=program, owner=owner(program) if name in view.runtimes else "nobody",
        runtimes=view.runtimes, default_runtime=view.default, cdi=view.cdi,
        daemon=daemon.ask(place, host), running_since_before=_older(place, host),
    )  # fmt: skip


def _with_later(place: Place, view: View) -> View:
    for _, tree in place.after:
        later = place.of.view(tree)
        view = View(
            runtimes={**view.runtimes, **later.runtimes}, default=later.default or view.default, cdi=view.cdi
        )  # fmt: skip
    return view


def _older(place: Place, host: Host) -> bool | None:
    running = daemon.find(place.engine, host)
    if running is None or not os.path.exists(place.target):
        return None
    return running.started < os.stat(place.target).st_mtime
