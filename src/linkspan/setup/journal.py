"""What was applied to this host, kept so that it can be gone on with, and taken back.

A step is written down before its first command runs, with what takes it back: whatever ends the run, a failure, a
crash or a restart of the host, the journal says how far it came. The file is written whole each time.
"""

import contextlib
import fcntl
from collections.abc import Iterator
from typing import Literal

import msgspec

from linkspan.errors import ConfigError, KernelError
from linkspan.kernel import files, trees
from linkspan.setup.model import Step

FOLDER = "/var/lib/linkspan/setup"
VERSION = 1

Progress = Literal["begun", "failed", "waiting", "applied"]
"""Begun: cut off, if nobody works on it now. Waiting: complete after a restart of the host."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A step that was begun; ``ran`` is how many of its commands have ended well."""

    key: str
    title: str
    progress: Progress
    commands: tuple[str, ...]
    undo: tuple[str, ...]
    ran: int = 0
    failure: str = ""

    @property
    def cut_off(self) -> bool:
        """Whether commands of it were never run, or not to their end."""
        return self.progress in ("begun", "failed") and self.ran < len(self.commands)


class _File(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    entries: tuple[Entry, ...] = ()


class Journal:
    """The journal in a state folder."""

    def __init__(self, folder: str = FOLDER) -> None:
        self._folder = folder
        self.path = f"{folder}/journal.json"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else works on this host meanwhile. Raises ConfigError where somebody does."""
        trees.make_folders(self._folder, 0o700)
        try:
            lock = open(f"{self._folder}/lock", "w", encoding="ascii")  # noqa: SIM115  # closed by the line below
        except OSError as error:
            raise KernelError(f"cannot write {self._folder}/lock: {error.strerror}", subject=self._folder) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                hint = "wait until it ends, then run the same again"
                raise ConfigError("another 'linkspan host' works on this host", hint=hint, subject=self.path) from None
            yield

    def entries(self) -> tuple[Entry, ...]:
        """What was begun, in its order. Raises ConfigError where the file is no journal of this version."""
        try:
            with open(self.path, "rb") as file:
                found = msgspec.json.decode(file.read(), type=_File)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise KernelError(f"cannot read {self.path}: {error.strerror}", subject=self.path) from None
        except msgspec.DecodeError as error:
            raise self._unreadable(str(error)) from None
        if found.version != VERSION:
            raise self._unreadable(f"its version is {found.version}")
        return found.entries

    def _unreadable(self, cause: str) -> ConfigError:
        hint = "take back by hand what it names, then delete it"
        return ConfigError(f"{self.path} is no journal of this version: {cause}", hint=hint, subject=self.path)

    def entry(self, key: str) -> Entry | None:
        """What is known of a step, None where it was never begun."""
        return next((entry for entry in self.entries() if entry.key == key), None)

    def begin(self, step: Step) -> Entry:
        """Write down what is about to be done. What takes an earlier try back stays known: it may have got halfway."""
        before = self.entry(step.key)
        undo = tuple(dict.fromkeys((*step.undo, *(before.undo if before else ()))))
        entry = Entry(key=step.key, title=step.title, progress="begun", commands=step.commands, undo=undo)
        self.put(entry)
        return entry

    def put(self, entry: Entry) -> None:
        """Write an entry in the place of the one of its step, else at the end."""
        entries = list(self.entries())
        places = [number for number, one in enumerate(entries) if one.key == entry.key]
        if places:
            entries[places[0]] = entry
        else:
            entries.append(entry)
        self._write(tuple(entries))

    def drop(self, key: str) -> None:
        """Forget a step that was taken back; the file goes with the last one."""
        self._write(tuple(entry for entry in self.entries() if entry.key != key))

    def _write(self, entries: tuple[Entry, ...]) -> None:
        if entries:
            files.write_whole(self.path, msgspec.json.format(msgspec.json.encode(_File(entries=entries))), 0o600)
        else:
            trees.remove_file(self.path)
