"""A tree of commands as Go programs have them, and the way of a command line through it.

Help is an answer (exit code 0), also where no command is named; an unknown command is 3, as the toolkit's command
library has it, and everything else that goes wrong 1.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from linkspan.compat import goflags
from linkspan.compat.goflags import Flag, Values
from linkspan.errors import LinkspanError
from linkspan.formats import toolkit_config
from linkspan.plan import wording

OK, FAILED, NO_SUCH_COMMAND = 0, 1, 3

HELP = Flag(("help", "h"), "show help", "switch")
VERSION = Flag(("version", "v"), "print the version", "switch")
GLOBAL = (
    Flag(("debug", "d"), "enable debug-level logging", "switch", env=("NVIDIA_CTK_DEBUG",)),
    Flag(("quiet",), "suppress all output except for errors; wins over --debug", "switch", env=("NVIDIA_CTK_QUIET",)),
    Flag(("config",), "path to the configuration file", env=("NVIDIA_CTK_CONFIG",)),
)
"""Accepted before a command and behind it, as far as it has no flag of the same name."""


class Call(NamedTuple):
    """One call of a command: the values of its flags, and what the global ones say."""

    values: Values
    quiet: bool = False
    config: str = ""

    def say(self, message: str) -> None:
        """Tell the story, on standard error."""
        if not self.quiet:
            sys.stderr.write(f"nvidia-ctk: {message}\n")

    def config_path(self) -> str:
        """The toolkit's configuration file."""
        return self.config or toolkit_config.config_path(os.environ)[0]


class Command(NamedTuple):
    """A command: what it does, or the commands below it."""

    name: str
    summary: str
    flags: tuple[Flag, ...] = ()
    run: Callable[[Call], None] | None = None
    children: "tuple[Command, ...]" = ()
    aliases: tuple[str, ...] = ()


class _Global(NamedTuple):
    quiet: bool = False
    config: str = ""


def run(top: Command, version: str, argv: Sequence[str]) -> int:
    """Follow a command line; its exit code. Every error ends here, as a sentence."""
    try:
        return _follow([top], version, argv, _Global(), os.environ)
    except LinkspanError as error:
        rights = "" if error.hint else wording.of_rights(error.message, os.geteuid())
        return fail(f"{error}; {rights}" if rights else str(error))
    except OSError as error:
        return fail(f"{error.filename or top.name}: {(error.strerror or str(error)).lower()}")


def fail(message: str) -> int:
    """Say why it does not go on; the exit code for that."""
    sys.stderr.write(f"nvidia-ctk: {message}\n")
    return FAILED


def _follow(path: list[Command], version: str, argv: Sequence[str], so_far: _Global, env: Mapping[str, str]) -> int:
    command = path[-1]
    own = {name for flag in command.flags for name in flag.names}
    shared = tuple(flag for flag in GLOBAL if own.isdisjoint(flag.names))
    top = (VERSION,) if len(path) == 1 else ()
    values, words = goflags.parse((*command.flags, *shared, *top, HELP), argv, env)
    if top and values.switch("version"):
        sys.stdout.write(f"{version}\n")
        return OK
    if values.switch("help") or words[:1] in (["help"], ["h"]):
        return _show(path)
    now = _globals(values, shared, so_far)
    child = next((item for item in command.children if words and words[0] in (item.name, *item.aliases)), None)
    if child is not None:
        return _follow([*path, child], version, words[1:], now, env)
    return _execute(path, Call(values, now.quiet, now.config), words)


def _globals(values: Values, shared: Sequence[Flag], so_far: _Global) -> _Global:
    names = {flag.names[0] for flag in shared}
    quiet = so_far.quiet or ("quiet" in names and values.switch("quiet"))
    return _Global(quiet, (values.text("config") if "config" in names else "") or so_far.config)


def _execute(path: list[Command], call: Call, words: Sequence[str]) -> int:
    command = path[-1]
    if command.run is None and words:
        sys.stderr.write(f"No help topic for '{words[0]}'\n")
        return NO_SUCH_COMMAND
    if command.run is None:
        return _show(path)
    if words:
        call.say(f"ignoring the argument {words[0]!r}: '{' '.join(item.name for item in path)}' takes none")
    command.run(call)
    return OK


def _show(path: list[Command]) -> int:
    sys.stdout.write("\n".join(_help(path)) + "\n")
    return OK


def _help(path: list[Command]) -> Iterator[str]:
    command, name = path[-1], " ".join(item.name for item in path)
    yield f"NAME:\n   {name} - {command.summary}\n"
    yield f"USAGE:\n   {name} [options]{' COMMAND [options]' if command.children else ''}"
    if command.children:
        yield "\nCOMMANDS:"
        yield from (f"   {item.name}  {item.summary}" for item in command.children)
    yield "\nOPTIONS:"
    yield from goflags.lines((*command.flags, *GLOBAL, HELP))
