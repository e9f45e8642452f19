"""``--config-source command``: what an engine itself says of its configuration, built-in settings included."""

from collections.abc import Mapping

from linkspan.engines import tomltext
from linkspan.engines.model import Tree
from linkspan.errors import KernelError
from linkspan.kernel import process

TIME_S = 30
_COMMANDS = {
    "containerd": (("containerd", "config", "dump"),),
    "crio": (("crio", "status", "config"), ("crio-status", "config")),
}
"""The commands that print it, by engine; CRI-O's older versions have a program of its own for that (contract 7.1)."""


def ask(engine: str, program: str, env: Mapping[str, str]) -> Tree:
    """The engine's configuration as its program prints it: ``program``, or the usual ones along PATH.

    Raises KernelError where none of them runs, ConfigError where what it prints is no TOML.
    """
    commands = _COMMANDS[engine]
    if program:
        commands = ((program, *commands[0][1:]),)
    for command in commands[:-1]:
        try:
            return _print(command, env)
        except KernelError:
            continue  # the next one may be there
    return _print(commands[-1], env)


def _print(command: tuple[str, ...], env: Mapping[str, str]) -> Tree:
    said = process.run(list(command), env=env, timeout_s=TIME_S).stdout
    tree: Tree = tomltext.parse(said, f"the output of '{' '.join(command)}'")
    return tree
