"""Flags as Go programs read them: one dash or two, ``-flag=value`` or ``-flag value``, and variables that stand in.

A switch takes its value only after ``=``. Whatever is given several times adds up where a flag is a list, and the last
one counts elsewhere. Names are never abbreviated.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from linkspan.errors import LinkspanError
from linkspan.formats.goflags import BOOLEANS, split

Kind = Literal["text", "switch", "list", "verbatim"]
"""``list`` values are split at commas, ``verbatim`` ones are kept as they were given."""


class WrongUsage(LinkspanError):
    """A command line that cannot be followed."""

    code = "usage"


class Flag(NamedTuple):
    """A flag: its names, the first of which is the one that the program itself uses, and the variables behind it."""

    names: tuple[str, ...]
    help: str
    kind: Kind = "text"
    default: str = ""
    env: tuple[str, ...] = ()


class Values:
    """What a command line, the environment and the defaults come to, by a flag's first name."""

    def __init__(self, flags: Sequence[Flag], given: Mapping[str, list[str]], env: Mapping[str, str]) -> None:
        self._given = dict(given)
        for flag in flags:
            variable = next((name for name in flag.env if env.get(name)), "")
            if variable and flag.names[0] not in given:
                self._given[flag.names[0]] = [_check_boolean(flag, env[variable], f"${variable}")]
        self._defaults = {flag.names[0]: flag.default for flag in flags}

    def given(self, name: str) -> bool:
        """True where the command line or the environment says something."""
        return name in self._given

    def text(self, name: str) -> str:
        """The value of a text flag."""
        return self._given.get(name, [self._defaults[name]])[-1]

    def switch(self, name: str) -> bool:
        """The value of a switch."""
        return BOOLEANS.get(self.text(name), False)

    def each(self, name: str) -> tuple[str, ...]:
        """The values of a flag that may be repeated, as they were given."""
        return tuple(self._given.get(name, ()))

    def items(self, name: str) -> tuple[str, ...]:
        """The values of a list, each once; an element may itself be a list with commas."""
        texts = self._given.get(name, [self._defaults[name]])
        return tuple(dict.fromkeys(part.strip() for text in texts for part in text.split(",") if part.strip()))


def parse(flags: Sequence[Flag], argv: Sequence[str], env: Mapping[str, str]) -> tuple[Values, list[str]]:
    """The values of the flags, and the words from the first one on that is none. Raises WrongUsage."""
    by_name = {name: flag for flag in flags for name in flag.names}
    given: dict[str, list[str]] = {}
    words = list(argv)
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        name, sign, value = split(word)
        flag = by_name.get(name)
        if flag is None:
            raise WrongUsage(f"flag provided but not defined: -{name}")
        given.setdefault(flag.names[0], []).append(_value(flag, name, value if sign else None, words))
    return Values(flags, given, env), words


def _value(flag: Flag, name: str, value: str | None, words: list[str]) -> str:
    if flag.kind == "switch":
        return _check_boolean(flag, "true" if value is None else value, f"-{name}")
    if value is not None:
        return value
    if not words:
        raise WrongUsage(f"flag needs an argument: -{name}")
    return words.pop(0)


def _check_boolean(flag: Flag, value: str, place: str) -> str:
    if flag.kind == "switch" and value not in BOOLEANS:
        raise WrongUsage(f'invalid boolean value "{value}" for {place}', hint="write true or false")
    return value


def lines(flags: Iterable[Flag]) -> Iterable[str]:
    """The flags as a help text has them."""
    for flag in flags:
        names = ", ".join(f"--{name}" if len(name) > 1 else f"-{name}" for name in flag.names)
        value = "" if flag.kind == "switch" else " VALUE"
        env = f" [${', $'.join(flag.env)}]" if flag.env else ""
        default = f" (default: {flag.default})" if flag.default else ""
        yield f"   {names}{value}  {flag.help}{default}{env}"
