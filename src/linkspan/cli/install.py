"""``linkspan install`` and ``linkspan uninstall``: the start path, put in place and taken away."""

from typing import Annotated

import typer

from linkspan.errors import ConfigError
from linkspan.formats import state
from linkspan.store import launchers

Prefix = Annotated[str, typer.Option("--prefix", metavar="DIR", help="Where bin/ and lib/ are.")]
StateDir = Annotated[str, typer.Option("--state-dir", metavar="DIR", help="Where ready-made edits are kept.")]


def install(prefix: Prefix = "/usr/local", state_dir: StateDir = state.FOLDER) -> None:
    """Put linkspan-runtime and linkspan-hook in place, independent of any user's environment."""
    for path in launchers.install(_place(prefix, state_dir)):
        typer.echo(path)


def uninstall(prefix: Prefix = "/usr/local") -> None:
    """Take away what 'linkspan install' put in place."""
    removed = launchers.remove(_place(prefix, state.FOLDER))
    for path in removed:
        typer.echo(f"removed {path}")
    if not removed:
        typer.echo(f"nothing of linkspan's is below {prefix}", err=True)


def _place(prefix: str, state_dir: str) -> launchers.Place:
    for option, path in (("--prefix", prefix), ("--state-dir", state_dir)):
        # The launchers name both absolutely, whatever folder an engine starts them in.
        if not path.startswith("/") or "\n" in path:
            raise ConfigError(f"{option} is {path!r}, not an absolute path", subject=option)
    return launchers.Place(prefix=prefix.rstrip("/") or "/", state=state_dir.rstrip("/"))
