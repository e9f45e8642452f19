"""``linkspan install`` and ``linkspan uninstall``: the start path, put in place and taken away."""

import os
from typing import Annotated

import typer

from linkspan.cli import output
from linkspan.errors import ConfigError, KernelError
from linkspan.formats import state
from linkspan.store import launchers, names, registry

Prefix = Annotated[str, typer.Option("--prefix", metavar="DIR", help="Where bin/ and lib/ are.")]
StateDir = Annotated[str, typer.Option("--state-dir", metavar="DIR", help="Where ready-made edits are kept.")]


def install(
    prefix: Prefix = "/usr/local",
    state_dir: StateDir = state.FOLDER,
    compat: Annotated[
        bool, typer.Option("--compat/--no-compat", help="Whether to answer to NVIDIA's names of these programs, too.")
    ] = True,
    replace: Annotated[
        bool, typer.Option("--replace", help="Set programs aside that have such a name; 'uninstall' puts them back.")
    ] = False,
) -> None:
    """Put linkspan's programs in place, independent of any user's environment.

    Docker's --gpus looks for nvidia-container-runtime-hook on the PATH of its daemon when that starts.
    """
    place = _place(prefix, state_dir)
    _refuse_packaged(place)
    _refuse_unwritable(place)
    for path in launchers.install(place, compat=compat, replace=replace):
        typer.echo(path)
    for other in names.elsewhere(place.programs, os.environ.get("PATH", "")) if compat else ():
        typer.echo(f"linkspan: {other} is another program of that name, which some engine may find first", err=True)
    for spec, lost in registry.lost_hooks(registry.load()).items():
        output.warn(f"the hooks of {spec} start {lost.program}, which does not exist", _repair(spec, lost, place))


def uninstall(prefix: Prefix = "/usr/local") -> None:
    """Take away what 'linkspan install' put in place, and put back what it set aside."""
    place = _place(prefix, state.FOLDER)
    _refuse_packaged(place)
    removed = launchers.remove(place)
    for path in removed:
        typer.echo(f"removed {path}")
    if not removed:
        typer.echo(f"nothing of linkspan's is below {prefix}", err=True)


def _repair(spec: str, lost: registry.LostHook, place: launchers.Place) -> str:
    """A spec of GPUs is made anew; one of other devices we cannot make, but we can put its hook where it looks."""
    if lost.kind == "nvidia.com/gpu":
        elsewhere = f" --hook-path {place.hook}" if place.hook != launchers.Place().hook else ""
        return f"write it anew: linkspan cdi refresh --output {spec}{elsewhere}"
    folder, name = os.path.split(os.path.dirname(lost.program))
    return f"put it there: linkspan install --prefix {folder}" if name == "bin" else ""


def _refuse_unwritable(place: launchers.Place) -> None:
    """Before anything is done: half an installation helps nobody."""
    for folder in (place.programs, place.library):
        while not os.path.lexists(folder):
            folder = os.path.dirname(folder)  # noqa: PLW2901  # on the way up to one that is there
        if not os.access(folder, os.W_OK):
            raise KernelError(
                f"{folder} cannot be written by you",
                hint="run the same with sudo, or name folders of your own by --prefix and --state-dir",
                subject=folder,
            )


def _refuse_packaged(place: launchers.Place) -> None:
    """The files of a .deb, an .rpm or of install.sh are theirs to replace and to remove."""
    if os.path.isdir(f"{place.library}/packages"):
        raise ConfigError(
            f"{place.library} belongs to a linkspan that was not put there by 'linkspan install'",
            hint=f"remove the package, or run {place.library}/install.sh --uninstall if there is one",
            subject=place.library,
        )


def _place(prefix: str, state_dir: str) -> launchers.Place:
    for option, path in (("--prefix", prefix), ("--state-dir", state_dir)):
        # The launchers name both absolutely, whatever folder an engine starts them in.
        if not path.startswith("/") or "\n" in path:
            raise ConfigError(f"{option} is {path!r}, not an absolute path", subject=option)
    return launchers.Place(prefix=prefix.rstrip("/") or "/", state=state_dir.rstrip("/"))
