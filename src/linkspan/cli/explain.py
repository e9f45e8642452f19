"""``linkspan explain``: why a container has its GPUs, or has none."""

from typing import Annotated

import typer

from linkspan.cli import explain_pasted
from linkspan.cli.output import UsageError


def explain(
    what: Annotated[str, typer.Argument(metavar="[-]", help="- is an error text on standard input.")] = "",
    *,
    error: Annotated[str | None, typer.Option("--error", metavar="TEXT", help="The error text itself.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a pasted error or log means: the message without its wrapping, the failures that fit, what to do.

    Exit codes: 0 recognised; 1 unknown; 2 wrong usage; 3 could not read it.
    """
    if (error is not None) == bool(what):
        raise UsageError("give an error text by --error TEXT, or - and the text on standard input")
    if what not in ("", "-"):
        raise UsageError(f"'{what}' is not '-'; an error text is given by --error TEXT")
    text = explain_pasted.from_standard_input() if error is None else error
    raise typer.Exit(explain_pasted.explain(text, as_json=as_json))
