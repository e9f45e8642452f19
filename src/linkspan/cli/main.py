"""The ``linkspan`` command. A subcommand is imported when it is called, so that ``--help`` and one-liners stay fast."""

import importlib
import io
import os
import signal
import sys
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from linkspan._version import __version__
from linkspan.cli import output

COMMANDS = {
    "demo": ("demo", "Start the guide's four containers, on real or simulated GPUs."),
    "facts": ("facts", "Show what this host has: driver, GPUs, libraries, devices."),
    "doctor": ("doctor", "Say what is broken, from the GPU to the image."),
    "explain": ("explain", "Say why a container has no GPU, or what an error means."),
    "cdi": ("cdi", "Write, list, check and refresh CDI specs."),
    "config": ("config", "Show the settings in force and where each came from."),
    "install": ("install", "Put linkspan-runtime and linkspan-hook in place."),
    "uninstall": ("install", "Take away what 'linkspan install' put in place."),
    "engine": ("engine", "Make linkspan a runtime of Docker, Podman, containerd or CRI-O."),
    "boundary": ("boundary", "Show what of a container is the host's and what the image's."),
    "image": ("image", "Check, size and write images for GPUs."),
    "host": ("host", "Show and do what a GPU host needs, step by step."),
    "sim": ("sim", "Make and remove simulated GPU hosts."),
}
"""Subcommands in the order of ``--help``: the module of ``linkspan.cli`` that holds each, and what it is for."""

EPILOG = "Exit codes: 0 done; 1 failed, or the answer is no; 2 wrong usage; 3 something kept linkspan from looking."


class Subcommands(TyperGroup):
    """The group of all subcommands, each a mere name until it is called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, (_, summary) in COMMANDS.items():
            self.add_command(TyperCommand(name, help=summary), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Put the real command in place of its name, then go on as usual."""
        if args and args[0] in COMMANDS:
            self.add_command(load(args[0]), args[0])
        return super().resolve_command(ctx, args)


def load(name: str) -> Any:
    """A subcommand: its module's ``app``, or the function of its name."""
    module = importlib.import_module(f"linkspan.cli.{COMMANDS[name][0]}")
    parent = typer.Typer(add_completion=False, rich_markup_mode=None)
    if hasattr(module, "app"):
        parent.add_typer(module.app, name=name)
        return typer.main.get_group(parent).commands[name]
    parent.command(name)(getattr(module, name))
    return typer.main.get_command(parent)


app = typer.Typer(
    rich_markup_mode=None, cls=Subcommands, epilog=EPILOG, no_args_is_help=True, pretty_exceptions_enable=False
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"linkspan {__version__}")
        raise typer.Exit


@app.callback()
def linkspan(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Give containers their GPUs, and say why when it does not work."""


def run(argv: list[str]) -> int:
    """Run one command line; its exit code. Every error ends here, as a sentence."""
    try:
        code = typer.main.get_command(app).main(argv, prog_name="linkspan", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return output.FAILED  # whoever read our output has seen enough
    except (KeyboardInterrupt, typer.Abort):
        code = output.INTERRUPTED
    except Exception as error:  # the outermost place: what nobody expected becomes a sentence, too
        if type(error).__name__ == "NoArgsIsHelpError":
            sys.stderr.write(f"{error.format_message()}\n")  # type: ignore[attr-defined]  # of click's exceptions
            return output.USAGE
        return output.fail(error)
    if code == output.INTERRUPTED:  # typer, too, makes this of Ctrl-C
        output.warn("interrupted")
    return code if isinstance(code, int) else output.OK


def _settle() -> None:
    """Drop what could not be written: what is still buffered must not fail once more, in words of Python's, at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(number: int, _: FrameType | None) -> NoReturn:
    """End as if by Ctrl-C, so that whatever was set up is taken down again."""
    raise SystemExit(128 + number)


def main() -> NoReturn:
    """The entry point of the ``linkspan`` program."""
    if sys.stdout is None:  # the shell's >&-: there is nobody to tell
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a locale cannot say, or no text can, is written out
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    code = run(sys.argv[1:])
    _settle()
    sys.exit(code)
