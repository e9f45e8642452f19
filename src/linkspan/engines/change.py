"""An engine's configuration changed and changed back: first a plan that can be shown, then one step on disk."""

import contextlib
import difflib
import errno
import os

import msgspec

from linkspan.engines import edits
from linkspan.engines.journal import Journal, Record, digest, remove_folders
from linkspan.engines.model import Activation, Change, File, Setting, Tree, View, Wanted, merged, owner
from linkspan.engines.places import Place, read
from linkspan.errors import ConfigError, KernelError, LinkspanError
from linkspan.kernel import files, trees


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would be done to one file. ``new`` None: there is no file any more."""

    place: Place
    current: File
    new: bytes | None
    record: Record | None = None
    """The journal entry to be made; None to end with none."""
    before: bytes | None = None
    """The file as it is without us, for the backup."""
    notes: tuple[str, ...] = ()
    activation: Activation = "none"
    known: bool = False
    """Whether an edit of ours stood in the file."""

    @property
    def changes_file(self) -> bool:
        """Whether anything is to be written."""
        return self.new != self.current.data

    def diff(self) -> str:
        """The change as a unified diff."""
        old, new = self.current.text, (self.new or b"").decode()
        names = (self.place.target if self.current.data is not None else "/dev/null",
                 self.place.target if self.new is not None else "/dev/null")  # fmt: skip
        lines = difflib.unified_diff(_lines(old), _lines(new), *names, lineterm="")
        return "\n".join(lines)


def _lines(text: str) -> list[str]:
    """The lines for a diff; one that lacks its end says so, as in every other diff."""
    lines = text.split("\n")
    if lines[-1] == "":
        return lines[:-1]
    lines[-1] += "\n\\ No newline at end of file"
    return lines


def plan_configure(place: Place, journal: Journal, wanted: Wanted, *, beside: bool = False) -> Plan:
    """What ``configure`` would do: in place of what it did before, or ``beside`` that if the name is another."""
    record = journal.load()
    if record and record.target != place.target:
        raise ConfigError(
            f"the runtime stands in {record.target}, but {place.target} is in force now",
            hint=f"run 'linkspan engine unconfigure {place.engine}' first",
        )
    current = read(place.target)
    notes = tuple(_notes(place, current, wanted))
    earlier = _others(record, wanted) if record and beside else ()
    if record and _still_as(place, record, current, (*earlier, wanted)):
        return Plan(place=place, current=current, new=current.data, record=record, notes=notes, known=True)
    base = _without_us(place, journal, record, current)
    text, changes = _edit(place, base, (*earlier, wanted))
    new = text.encode() if changes else base
    entry = Record(
        engine=place.engine, asked=place.asked, target=place.target, wanted=wanted, earlier=earlier, changes=changes,
        before=digest(base), previous=digest(current.data), after=digest(new),
        folders=record.folders if record else _missing_folders(place.target),
    )  # fmt: skip
    return Plan(
        place=place, current=current, new=new, record=entry if changes else None, before=base, notes=notes,
        activation=_needed(place, record, changes), known=record is not None,
    )  # fmt: skip


def _others(record: Record, wanted: Wanted) -> tuple[Wanted, ...]:
    """What stays of the runtimes that were asked for before: those of other names, but one default at most."""
    return tuple(
        msgspec.structs.replace(other, default=other.default and not wanted.default)
        for other in record.all_wanted
        if other.name != wanted.name
    )


def _still_as(place: Place, record: Record, current: File, runtimes: tuple[Wanted, ...]) -> bool:
    """Whether the file has what is asked for, by our own earlier edits."""
    if current.data is None or _unforced(record.all_wanted) != _unforced(runtimes):
        return False
    tree = _tree(place, current.text)
    return all(edits.is_there(tree, change) for change in record.changes)


def _unforced(runtimes: tuple[Wanted, ...]) -> set[Wanted]:
    """What was asked for, whatever it was to replace."""
    return {msgspec.structs.replace(wanted, replace=False) for wanted in runtimes}


def _needed(place: Place, record: Record | None, changes: tuple[Change, ...]) -> Activation:
    """What the daemon needs for an edit that may have an earlier one taken back."""
    levels: tuple[Activation, ...] = ("none", "reload", "restart")
    both = [place.of.activation(changes, undone=False)]
    if record:
        gone = tuple(change for change in record.changes if change not in changes)
        both.append(place.of.activation(gone, undone=True))
    return max(both, key=levels.index)


def _tree(place: Place, text: str) -> Tree:
    parsed: Tree = place.of.SYNTAX.parse(text.removeprefix(edits.BOM), place.target)
    return parsed


def _notes(place: Place, current: File, wanted: Wanted) -> list[str]:
    return place.of.notes(_tree(place, current.text or place.of.SEED), wanted)


def _edit(place: Place, base: bytes | None, runtimes: tuple[Wanted, ...]) -> tuple[str, tuple[Change, ...]]:
    """The text with the settings of these runtimes, and what changed."""
    text = (base or b"").decode()
    if not text.removeprefix(edits.BOM).strip():
        text += place.of.SEED
    made: tuple[Change, ...] = ()
    for wanted in runtimes:
        text, more = edits.apply(place.of.SYNTAX, text, _settings(place, text, wanted), place.target)
        made += more
    return text, made


def _settings(place: Place, text: str, wanted: Wanted) -> list[Setting]:
    tree = _tree(place, text)
    _refuse_another_program(place, tree, wanted)
    _refuse_overruled(place, wanted)
    switch = wanted.cdi if wanted.cdi is not None else place.of.needs_cdi_switch(wanted.version)
    return place.of.settings(tree, place.before, msgspec.structs.replace(wanted, cdi=bool(switch)))


def in_force(place: Place, tree: Tree) -> View:
    """What the file and those before it say together."""
    return place.of.view(tree if place.is_template else merged(place.before, tree))


def _refuse_another_program(place: Place, tree: Tree, wanted: Wanted) -> None:
    if place.is_template:
        return  # what a template makes is not ours to replace, and its rules say so
    program = in_force(place, tree).runtimes.get(wanted.name)
    if program in (None, wanted.program) or owner(program or "") == "linkspan" or wanted.replace:
        return
    whose = "NVIDIA's " if owner(program or "") == "nvidia" else ""
    raise ConfigError(
        f"{place.of.TITLE} has a runtime '{wanted.name}' already, which starts {whose}{program or 'no program'}",
        hint="--replace puts linkspan in its place until it is unconfigured, --runtime-name NAME puts it beside that",
        subject=place.target,
    )


def _refuse_overruled(place: Place, wanted: Wanted) -> None:
    """A file that is read later would win: nothing that is written here changes that."""
    for path, tree in place.after:
        view = place.of.view(tree)
        if view.runtimes.get(wanted.name, wanted.program) != wanted.program:
            cause = f"{path} is read later, and gives the runtime '{wanted.name}' another program"
        elif wanted.default and view.default not in ("", wanted.name):
            cause = f"{path} is read later, and makes '{view.default}' the default runtime"
        else:
            continue
        raise ConfigError(cause, hint="take that out of it first", subject=path)


def plan_unconfigure(place: Place, journal: Journal) -> Plan:
    """What ``unconfigure`` would do."""
    record = journal.load()
    if record is None:
        current = read(place.target)
        return Plan(place=place, current=current, new=current.data)
    place = msgspec.structs.replace(place, target=record.target)
    current = read(record.target)
    new = _without_us(place, journal, record, current)
    if new is not None and digest(new) not in (digest(current.data), record.before):
        _refuse_orphaned_default(place, journal, record, _tree(place, new.decode()))
    return Plan(
        place=place, current=current, new=new, known=True,
        activation=place.of.activation(record.changes if new != current.data else (), undone=True),
    )  # fmt: skip


def _refuse_orphaned_default(place: Place, journal: Journal, record: Record, tree: Tree) -> None:
    view, names = in_force(place, tree), {wanted.name for wanted in record.all_wanted}
    before = place.of.view(_tree(place, (journal.backup(record) or b"").decode() or place.of.SEED))
    if view.default in names - {before.default, *view.runtimes}:
        raise ConfigError(
            f"{place.target} makes '{view.default}' the default runtime by another hand, which would name nothing then",
            hint="choose another default runtime there first",
            subject=place.target,
        )


def _without_us(place: Place, journal: Journal, record: Record | None, current: File) -> bytes | None:
    """The file without our edit: byte for byte what it was, or what the user made of it since, less what is ours."""
    if record is None or current.data is None:
        return current.data
    if digest(current.data) == record.after:
        if not record.existed:
            return None
        if (kept := journal.backup(record)) is not None:
            return kept
    text = edits.undo(place.of.SYNTAX, current.text, record.changes, place.target)
    if not record.existed and text.strip() in ("", place.of.SEED.strip()):
        return None
    return text.encode()


def _missing_folders(path: str) -> tuple[str, ...]:
    missing: list[str] = []
    folder = os.path.dirname(path)
    while not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    return tuple(missing)


def carry_out(plan: Plan, journal: Journal) -> None:
    """Do what was planned, in an order that can be undone whenever it stops. KernelError where it is not possible."""
    with journal.locked():
        earlier = journal.settle()
        if read(plan.place.target).data != plan.current.data:
            raise ConfigError(f"{plan.place.target} was changed in this moment", hint="do the same again")
        if plan.changes_file:
            _refuse_read_only(plan.place.target)
        if plan.record is None:
            _take_back(plan, journal, earlier)
        elif plan.changes_file:
            _make(plan, plan.record, journal)


def tidy(journal: Journal) -> None:
    """Where there is nothing to do: still take away what an edit that was cut off left behind."""
    if journal.interrupted:
        with journal.locked():
            journal.settle()


def _make(plan: Plan, record: Record, journal: Journal) -> None:
    journal.announce(record, plan.before)
    try:
        trees.make_folders(os.path.dirname(record.target))
        _put(plan)
    except KernelError:
        with contextlib.suppress(LinkspanError):
            journal.settle()
        remove_folders(record.folders)
        raise
    journal.confirm(record)


def _take_back(plan: Plan, journal: Journal, earlier: Record | None) -> None:
    if plan.changes_file:
        _put(plan)
    if earlier:
        remove_folders(earlier.folders)
    journal.drop()


def _put(plan: Plan) -> None:
    if plan.new is None:
        trees.remove_file(plan.place.target)
    else:
        files.write_whole(plan.place.target, plan.new, mode=None, beside=plan.place.beside)


def _refuse_read_only(path: str) -> None:
    """Who took the right to write away did so for a reason, although the folder would let us replace the file."""
    if os.path.exists(path) and not os.access(path, os.W_OK):
        is_own = os.stat(path).st_uid == os.geteuid()
        cause = "it is read-only" if is_own else os.strerror(errno.EACCES).lower()
        raise KernelError(f"cannot write {path}: {cause}", subject=path)
