"""A host of files for the tests, and linkspan at work on it without its command line."""

import os
from collections.abc import Callable

from linkspan.engines import change, jsontext, tomltext
from linkspan.engines.change import Plan
from linkspan.engines.journal import Journal
from linkspan.engines.model import View, Wanted
from linkspan.engines.places import Host, Place, default_path, locate

PROGRAM = "/usr/local/bin/linkspan-runtime"
PARSERS: dict[str, Callable[[str], object]] = {"docker": jsontext.parse}


class Bench:
    """One engine's file below a folder, and the steps that the command line takes."""

    def __init__(self, root: str, engine: str, text: str | None = None, *, host: Host | None = None) -> None:
        self.engine = engine
        self.host = host or Host(root=root)
        self.path = default_path(engine, self.host, {})
        if text is not None:
            self.write(text)

    def write(self, text: str) -> None:
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "wb") as file:
            file.write(text.encode())

    def read(self) -> str | None:
        if not os.path.lexists(self.path):
            return None
        with open(self.path, "rb") as file:
            return file.read().decode()

    @property
    def place(self) -> Place:
        return locate(self.engine, self.path, self.host)

    @property
    def journal(self) -> Journal:
        return Journal(self.host.state_folder, self.place)

    def plan(self, **wanted: object) -> Plan:
        return change.plan_configure(self.place, self.journal, Wanted(**{"program": PROGRAM, **wanted}))

    def configure(self, **wanted: object) -> Plan:
        plan = self.plan(**wanted)
        if plan.changes_file:
            change.carry_out(plan, self.journal)
        else:
            change.tidy(self.journal)
        return plan

    def unconfigure(self) -> Plan:
        plan = change.plan_unconfigure(self.place, self.journal)
        if plan.known:
            change.carry_out(plan, self.journal)
        else:
            change.tidy(self.journal)
        return plan

    def view(self) -> View:
        place = self.place
        return place.of.view(place.of.SYNTAX.parse((self.read() or "").removeprefix("\ufeff"), place.target))

    def kept(self) -> list[str]:
        """What is in the state folder, but for the lock."""
        folder = self.host.state_folder
        return sorted(set(os.listdir(folder)) - {"lock"}) if os.path.isdir(folder) else []


def parse(engine: str, text: str) -> object:
    """The text as the engine reads it."""
    return PARSERS.get(engine, tomltext.parse)(text.removeprefix("\ufeff"))
