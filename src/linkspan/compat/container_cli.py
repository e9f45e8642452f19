"""``nvidia-container-cli``: what NVIDIA's hook, Apptainer, enroot and LXC call (contract 4).

Its options, its answers and the way its errors begin are theirs; what is found and what is carried across is what every
other way into a container finds and carries.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

from linkspan.compat import argp
from linkspan.compat.argp import Option
from linkspan.compat.cli_call import PROGRAM, Call, StageError, stage, versions
from linkspan.errors import LinkspanError

OPTIONS = (
    Option("debug", "d", "log what is done to this file", "FILE"),
    Option("load-kmods", "k", "load the driver's kernel modules, and make its nodes, first"),
    Option("no-pivot", "n", "no effect: no program of the container is run"),
    Option(
        "user", "u", "no effect: NVML is asked in a process of its own, with our rights", "UID[:GID]", optional=True
    ),
    Option("root", "r", "the driver root", "PATH"),
    Option("ldcache", "l", "look for the driver's libraries in the folders that this loader cache names", "FILE"),
    Option("no-create-imex-channels", "", "make no nodes of IMEX channels"),
    Option("version", "V", "print the version"),
)


class Command(NamedTuple):
    """A command: its options, what it does, and how its usage is written."""

    summary: str
    options: tuple[Option, ...]
    run: Callable[[Call], None]
    words: str = ""


def _commands() -> dict[str, Command]:
    from linkspan.compat import cli_configure, cli_info, cli_list  # not for --help of the whole, nor a wrong option

    return {
        "configure": Command(
            "give a container GPUs and driver", cli_configure.OPTIONS, cli_configure.run, "[--pid=PID] ROOTFS"
        ),
        "info": Command("tell of driver and GPUs", cli_info.OPTIONS, cli_info.run),
        "list": Command("list what belongs to the driver, one path a line", cli_list.OPTIONS, cli_list.run),
    }


def run(argv: Sequence[str], folder: str = "") -> int:
    """Run one command line; its exit code, 0 or 1. ``folder`` is where facts are kept, if anywhere."""
    try:
        return _run(argv, folder)
    except argp.WrongUsage as error:
        sys.stderr.write(f"{PROGRAM}: {error}\nTry '{PROGRAM} --help' for more information.\n")
    except StageError as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
    except LinkspanError as error:
        sys.stderr.write(f"{PROGRAM}: initialization error: {error}\n")
    return 1


def _run(argv: Sequence[str], folder: str) -> int:
    given, words = argp.parse(OPTIONS, argv, until_word=True)
    if "help" in given or "usage" in given:
        return _say(_help())
    if "version" in given:
        return _say(versions())
    if not words:
        raise argp.WrongUsage("a command is missing; it is configure, info or list")
    commands = _commands()
    if words[0] not in commands:
        raise argp.WrongUsage(f"unknown command '{words[0]}'; it is configure, info or list")
    return _run_command(words[0], commands[words[0]], given, words[1:], folder)


def _run_command(name: str, command: Command, above: argp.Given, argv: Sequence[str], folder: str) -> int:
    given, words = argp.parse(command.options, argv)
    if "help" in given or "usage" in given:
        return _say(_help_of(name, command))
    if words and not command.words:
        raise argp.WrongUsage(f"'{name}' takes no argument, but got '{words[0]}'")
    with Call(above, given, words, folder) as call:
        call.log(f"{PROGRAM} {name}: {' '.join(argv)}")
        try:
            with stage("initialization"):
                command.run(call)
        except StageError as error:
            call.log(str(error))
            raise
    return 0


def _say(lines: Sequence[str]) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _help() -> list[str]:
    names = [f"  {name:<12} {command.summary}" for name, command in _commands().items()]
    return [f"Usage: {PROGRAM} [OPTION...] COMMAND [ARG...]", "", "Commands:", *names, "", *argp.lines(OPTIONS)]


def _help_of(name: str, command: Command) -> list[str]:
    return [f"Usage: {PROGRAM} {name} [OPTION...] {command.words}".rstrip(), "", *argp.lines(command.options)]


def main(argv: Sequence[str] | None = None, folder: str = "") -> NoReturn:
    """The entry point of the program, with the arguments after its name."""
    try:
        code = run(sys.argv[1:] if argv is None else argv, folder)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever read our output has seen enough
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
