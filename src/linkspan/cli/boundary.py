"""``linkspan boundary``: the table of responsibilities, filled in with what a root really holds."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

from linkspan.check import inventory, responsibilities, subjects
from linkspan.check.inventory import Inventory
from linkspan.check.pieces import KINDS, Piece
from linkspan.check.responsibilities import Boundary, Row
from linkspan.cli import output
from linkspan.errors import LinkspanError
from linkspan.explain import shown
from linkspan.kernel import paths
from linkspan.plan.wording import plural

PATIENCE_S = 1.0
"""After so many seconds a person wants to see that something is going on."""
LISTED = 20
"""Pieces on the wrong side that are listed; --json has them all."""
WIDE = 120
"""Columns of a terminal that has room for whole paths in the table."""
_STYLES = {"right side": "green", "wrong side": "bold red", "missing": "yellow"}
_MARKS = {"right side": "✓", "wrong side": "✗", "missing": "–"}


def boundary(
    name: Annotated[
        str,
        typer.Argument(
            metavar="CONTAINER_OR_ROOTFS",
            help="A root filesystem's folder, a bundle, a process number, or a running container's ID or name.",
            show_default=False,
        ),
    ],
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Stop looking after so long, and say what is left.", min=0.1)
    ] = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every piece that was found.")] = False,
) -> None:
    """Show which part of the GPU stack is on its side of the boundary between host and image.

    Exit code 1: something is on the wrong side. 3: not all could be looked at, and nothing wrong was found in the rest.
    """
    try:
        made = _look(name, timeout)
    except (LinkspanError, OSError) as error:
        output.fail(error)
        raise typer.Exit(output.CANNOT_LOOK) from error
    if as_json:
        output.show_json(_plain(msgspec.to_builtins(made)))
    else:
        _show(made)
    for gap in made.gaps:
        output.warn(f"not looked at: {shown.line(gap)}")
    if not made.is_right or made.gaps:
        raise typer.Exit(output.CANNOT_LOOK if made.is_right else output.FAILED)


def _look(name: str, timeout: float) -> Boundary:
    root = subjects.find(name)
    fd = paths.open_root(root.path)
    try:
        with _progress() as tick:
            found = inventory.survey(fd, root.mounts, until=time.monotonic() + timeout, tick=tick)
    finally:
        os.close(fd)
    pieces = (*root.known, *found.pieces)
    return responsibilities.judge(name, root.kind, Inventory(pieces, found.entries, found.gaps))


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """What tells a person at a terminal how far it is, once it takes longer than they like."""
    started = time.monotonic()
    console = output.stderr()
    bar = Progress(SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True)
    tasks: list[TaskID] = []

    def tick(entries: int) -> None:
        words = f"looked at {entries} files"
        if tasks:
            bar.update(tasks[0], description=words)
        elif console.is_terminal and time.monotonic() - started > PATIENCE_S:
            tasks.append(bar.add_task(words, total=None))
            bar.start()

    try:
        yield tick
    finally:
        bar.stop()


def _plain(value: Any) -> Any:
    """The document with every text fit to be shown: names in it come from images."""
    if isinstance(value, str):
        return shown.line(value, 4096)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _show(made: Boundary) -> None:
    table = output.table(("part", "belongs to", "found", "is the", "verdict"), ())
    for place in (0, 1, 3, 4):
        table.columns[place].no_wrap = True
    wide = output.stdout().width >= WIDE
    for row in made.rows:
        verdict = Text(f"{_MARKS[row.verdict]} {row.verdict}", style=_STYLES[row.verdict])
        found, whose = _found(row, whole=wide)
        table.add_row(Text(row.title), _side(row), found, whose, verdict)
    output.show(table)
    for row in made.rows:
        _show_wrong(row)
    _show_apart(made)
    output.show(Text(_sentence(made), style="bold"))


def _side(row: Row) -> str:
    """Where a part belongs: the bridge stands on the host."""
    return "image" if row.owner == "image" else "host"


def _found(row: Row, *, whole: bool) -> tuple[Text, str]:
    """What of a part there is, in a few words, and whose: the wrong first, then the largest; its path or its name."""
    there = [piece for piece in row.found if piece.kind in {"file", "node"} or piece.path in row.wrong]
    if not there:
        return Text(_nothing(row)), ""
    there.sort(key=lambda piece: (piece.path not in row.wrong, -piece.bytes, piece.path))
    first = shown.line(there[0].path if whole else there[0].path.rpartition("/")[2])
    more = f" and {len(there) - 1} more" if len(there) > 1 else ""
    below = _joined(_versions(there), _bytes(sum(piece.bytes for piece in there)))
    whose = " and ".join(dict.fromkeys(piece.whose for piece in there))
    return Text.assemble(f"{first}{more}", (f"\n{below}" if below else "", "dim")), whose


def _versions(pieces: list[Piece]) -> str:
    versions = list(dict.fromkeys(shown.line(piece.version, 40) for piece in pieces if "." in piece.version))
    return ", ".join(versions[:2]) + (" …" if len(versions) > 2 else "")


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _nothing(row: Row) -> str:
    if row.key == "application":
        return "nobody says which"
    return "nothing, rightly" if row.verdict == "right side" else "nothing"


def _show_wrong(row: Row) -> None:
    """The pieces of a part that are on the wrong side, below the sentence that says why it is the wrong one."""
    wrong = [piece for piece in row.found if piece.path in row.wrong]
    if not wrong:
        return
    why = f"on the wrong side, being the {_side(row)}'s; {row.why}"
    output.show(Text.assemble((f"{row.title}: ", "bold red"), why))
    for piece in wrong[:LISTED]:
        output.show(Text(f"  {_described(piece)}"))
    if len(wrong) > LISTED:
        output.show(Text(f"  … and {len(wrong) - LISTED} more, with --json"))
    output.show(Text())


def _described(piece: Piece) -> str:
    kind = f", {KINDS[piece.kind]}" if KINDS[piece.kind] else ""
    target = f" to {shown.line(piece.target)}" if piece.target else ""
    size = f", {_bytes(piece.bytes)}" if piece.bytes else ""
    return f"{shown.line(piece.path)}{kind}{target}{size}"


def _show_apart(made: Boundary) -> None:
    """What goes by a driver's name and is none: nothing is wrong with it, and nobody should take it for one."""
    for kind in ("stub", "compat", "other"):
        pieces = [piece for row in made.rows for piece in row.found if piece.kind == kind]
        if pieces:
            more = f" and {len(pieces) - 1} more" if len(pieces) > 1 else ""
            output.show(Text(f"{shown.line(pieces[0].path)}{more}: {KINDS[pieces[0].kind]}", style="dim"))


def _sentence(made: Boundary) -> str:
    wrong = sum(len(row.wrong) for row in made.rows)
    looked = f"{plural(made.entries, 'file')} looked at"
    return f"{plural(wrong, 'piece') if wrong else 'Nothing'} {_is(wrong)} on the wrong side; {looked}."


def _is(number: int) -> str:
    return "are" if number > 1 else "is"


def _bytes(number: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} B" if number else ""
