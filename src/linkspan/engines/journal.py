"""What undo needs, kept in a state folder: a journal of the edit, and the file as it was before.

An edit is announced (``NAME.pending``), made, and then confirmed (``NAME.json``), so that after a crash at any point
the file itself tells which of the two holds: an edit that did not happen counts as never announced.
"""

import contextlib
import fcntl
import glob
import hashlib
import os
import re
from collections.abc import Iterator

import msgspec

from linkspan.engines import edits
from linkspan.engines.model import Change, Wanted
from linkspan.engines.places import Place, read
from linkspan.errors import ConfigError, KernelError, LinkspanError
from linkspan.kernel import files, trees

ABSENT = "absent"
VERSION = 1


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One edit: hashes of the file before ours, right before this one (of two in a row) and after it."""

    version: int = VERSION
    engine: str
    asked: str
    target: str
    before: str
    previous: str
    after: str
    wanted: Wanted
    earlier: tuple[Wanted, ...] = ()
    """The other runtimes that were asked for before it, and stand beside it."""
    changes: tuple[Change, ...]
    folders: tuple[str, ...] = ()
    """The folders made for the file, innermost first."""

    @property
    def existed(self) -> bool:
        """Whether there was a file before us."""
        return self.before != ABSENT

    @property
    def all_wanted(self) -> tuple[Wanted, ...]:
        """Every runtime that was asked for, in that order."""
        return (*self.earlier, self.wanted)


def digest(data: bytes | None) -> str:
    """What a file's content is recognised by."""
    return ABSENT if data is None else hashlib.blake2b(data, digest_size=16).hexdigest()


class Journal:
    """The journal of one engine's one file."""

    def __init__(self, folder: str, place: Place) -> None:
        name = f"{place.engine}-{hashlib.blake2b(place.asked.encode(), digest_size=4).hexdigest()}"
        self._place = place
        self._folder = folder
        self._stem = f"{folder}/{name}"

    def of(self, place: Place) -> "Journal":
        """The journal of another file, in the same folder."""
        return Journal(self._folder, place)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else edits meanwhile."""
        trees.make_folders(self._folder)
        try:
            lock = open(f"{self._folder}/lock", "w", encoding="ascii")  # noqa: SIM115  # closed by the line below
        except OSError as error:
            raise KernelError(f"cannot write {self._folder}/lock: {error.strerror}", subject=self._folder) from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)

    def load(self) -> Record | None:
        """The edit that stands in the file now, if there is one."""
        kept, pending = self._read("json"), self._read("pending")
        if pending and self._happened(pending, kept):
            kept = pending
        if kept is None or digest(read(kept.target).data) == kept.before:
            return None  # never made, or taken back already
        return kept

    def _happened(self, pending: Record, kept: Record | None) -> bool:
        """Whether an announced edit was made; where the file is neither old nor new, by what it says."""
        now = read(pending.target)
        if digest(now.data) in (pending.after, pending.previous):
            return digest(now.data) == pending.after
        try:
            tree = self._place.of.SYNTAX.parse(now.text.removeprefix(edits.BOM), now.path)
        except LinkspanError:
            return kept is None
        return all(edits.is_there(tree, change) for change in pending.changes)

    def _read(self, ending: str) -> Record | None:
        path = f"{self._stem}.{ending}"
        data = read(path).data
        if data is None:
            return None
        try:
            record = msgspec.json.decode(data, type=Record)
        except msgspec.DecodeError as error:
            raise _unreadable(path, str(error)) from None
        if record.version != VERSION:
            raise _unreadable(path, f"its version is {record.version}")
        return record

    @property
    def interrupted(self) -> bool:
        """Whether an edit was announced and neither confirmed nor withdrawn."""
        return os.path.exists(f"{self._stem}.pending")

    def others(self) -> list[str]:
        """The files of the same engine that have a journal of their own."""
        found: list[str] = []
        for path in sorted(glob.glob(f"{glob.escape(self._folder)}/{self._place.engine}-*.json")):
            with contextlib.suppress(msgspec.DecodeError, LinkspanError):
                found.append(msgspec.json.decode(read(path).data or b"", type=Record).asked)
        return [path for path in found if path != self._place.asked]

    def backup(self, record: Record) -> bytes | None:
        """The file as it was; None where there was none, or where the backup is not it any more."""
        data = read(self._backup_path(record)).data
        return data if digest(data) == record.before else None

    def _backup_path(self, record: Record) -> str:
        return f"{self._stem}.{record.before[:12]}.before"

    def announce(self, record: Record, before: bytes | None) -> None:
        """Keep what was there, then what is about to be done."""
        if before is not None:
            files.write_whole(self._backup_path(record), before, 0o600)  # a configuration may hold secrets
        files.write_whole(f"{self._stem}.pending", msgspec.json.encode(record))

    def confirm(self, record: Record) -> None:
        """The announced edit stands in the file."""
        try:
            os.rename(f"{self._stem}.pending", f"{self._stem}.json")
        except OSError as error:
            raise KernelError(f"cannot write {self._stem}.json: {error.strerror}", subject=self._stem) from None
        self._remove_backups(self._backup_path(record))

    def drop(self) -> None:
        """Nothing of ours is in the file."""
        trees.remove_file(f"{self._stem}.pending")
        trees.remove_file(f"{self._stem}.json")
        self._remove_backups("")

    def _remove_backups(self, kept: str) -> None:
        stem = os.path.basename(self._stem)
        for name in os.listdir(self._folder):
            path = f"{self._folder}/{name}"
            if re.fullmatch(re.escape(stem) + r"\.[0-9a-f]{1,12}\.before", name) and path != kept:
                trees.remove_file(path)

    def settle(self) -> Record | None:
        """Bring to an end what a crash, or an error, cut off; the edit that stands in the file now.

        What an announcement left beside the file is taken away: only ever then, and only what bears its name.
        """
        _sweep(self._folder, os.path.basename(self._stem), r".*")
        pending = self._read("pending")
        standing = self.load()
        if pending is None:
            return standing
        folder = os.path.dirname(pending.target)
        for place in {self._place.beside or folder, folder}:
            _sweep(place, os.path.basename(pending.target)[:40])
        if standing == pending:
            self.confirm(pending)
        else:
            remove_folders(pending.folders)
            trees.remove_file(f"{self._stem}.pending")
        return standing


def _unreadable(path: str, cause: str) -> ConfigError:
    hint = "put the engine's file right by hand, and delete the journal"
    return ConfigError(f"{path} is no journal of this version: {cause}", hint=hint, subject=path)


def _sweep(folder: str, name: str, more: str = "") -> None:
    """Take away the unfinished files that ``files.write_whole`` left for a file of this name."""
    with contextlib.suppress(OSError):
        for left in os.listdir(folder):
            if re.fullmatch(rf"\.{re.escape(name)}{more}\.[0-9a-f]{{16}}", left):
                os.unlink(f"{folder}/{left}")


def remove_folders(folders: tuple[str, ...]) -> None:
    """Take away folders that were made for a file, where nobody else has put anything there."""
    for folder in folders:
        with contextlib.suppress(OSError):
            os.rmdir(folder)
