"""What every subcommand prints, and how: the answer on standard output, the story on standard error.

Colour is for people at a terminal: rich leaves it out where the output is no terminal or NO_COLOR is set. An error is
printed once, here, as ``linkspan: MESSAGE`` and, where there is one, ``hint: WHAT TO DO``.
"""

import json
import os
import sys
import traceback
from collections.abc import Iterable, Sequence

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from linkspan.errors import KernelError, LinkspanError

OK, FAILED, USAGE, CANNOT_LOOK, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: done; failed, or the answer is no; wrong usage; something kept us from looking; Ctrl-C."""

UsageError = typer.BadParameter.__mro__[1]
"""The family of complaints about the command line: typer keeps its copy of click private, but exports this child."""


IN_A_PIPE = 10_000
"""Columns where nobody says how many there are: lines that a program reads, or a file keeps, are not broken."""


def stdout() -> Console:
    """Where answers go."""
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = IN_A_PIPE
    return console


def stderr() -> Console:
    """Where the story goes; lines are left as long as they are, so that they can be searched for."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def show(*parts: RenderableType) -> None:
    """Print tables or text as the answer; in a pipe without the blanks that fill up a table's cells."""
    console = stdout()
    if console.is_terminal:
        console.print(*parts, crop=False)
        return
    with console.capture() as captured:
        console.print(*parts, crop=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> Table:
    """A table in the house style; cells are plain text, and fold where the terminal is narrow."""
    made = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def show_json(document: object) -> None:
    """Print a JSON document, indented, in the order in which it was made; in a locale without UTF-8 in ASCII."""
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=not is_utf8) + "\n")


def warn(message: str, hint: str = "") -> None:
    """Say what is odd, without giving up."""
    _say("yellow", message, hint)


def fail(error: Exception) -> int:
    """Print an error once; the exit code that goes with it. LINKSPAN_DEBUG=1 adds where it came from."""
    if os.environ.get("LINKSPAN_DEBUG") == "1":
        traceback.print_exception(error)
    message, hint, code = explained(error)
    _say("red", message, hint)
    return code


def explained(error: Exception) -> tuple[str, str, int]:
    """An error in words: the message, what to do (may be empty), and the exit code that goes with it."""
    if isinstance(error, KernelError):
        from linkspan.plan import wording  # nothing but an error needs it

        return error.message, error.hint or wording.of_rights(error.message, os.geteuid()), CANNOT_LOOK
    if isinstance(error, LinkspanError):
        return error.message, error.hint, FAILED
    if isinstance(error, UsageError):
        return _explain_usage(error)
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror.lower()}", "", CANNOT_LOOK
    message = f"a bug in linkspan: {type(error).__name__}: {error} ({_place(error)})"
    return message, "please report it, with what the same command prints under LINKSPAN_DEBUG=1", FAILED


def _explain_usage(error: Exception) -> tuple[str, str, int]:
    """A complaint about the command line, in our form."""
    path = getattr(getattr(error, "ctx", None), "command_path", "linkspan")
    message = str(getattr(error, "format_message", error.__str__)()).rstrip(".")
    return message[:1].lower() + message[1:], f"see '{path} --help'", USAGE


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "unknown place"


def _say(colour: str, message: str, hint: str) -> None:
    console = stderr()
    console.print(Text.assemble(("linkspan: ", f"bold {colour}"), message))
    if hint:
        console.print(Text.assemble(("hint: ", "bold"), hint))
