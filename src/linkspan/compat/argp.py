"""Options as GNU's argp reads them, which ``nvidia-container-cli`` is made with.

Long names may be cut short as long as one is meant, short ones may stand together behind one dash, a value follows
``=``, the next word or the letter itself. A value that may be left out is only taken from behind ``=`` or the letter.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from linkspan.errors import LinkspanError

Value = Literal["none", "required", "optional"]


class WrongUsage(LinkspanError):
    """A command line that cannot be followed."""

    code = "usage"


class Option(NamedTuple):
    """An option: its long name, its letter if it has one, what its value is called, and what it is for."""

    name: str
    letter: str
    help: str
    metavar: str = ""
    optional: bool = False

    @property
    def value(self) -> Value:
        """Whether a value belongs to it."""
        return "optional" if self.optional else "required" if self.metavar else "none"


HELP = Option("help", "?", "give this help list")
USAGE = Option("usage", "", "give a short usage message")

Given = dict[str, list[str]]
"""The values of each option that was given, by its long name; an empty text where it was given without one."""


class _Reader:
    def __init__(self, options: Iterable[Option], argv: Sequence[str]) -> None:
        self.options = (*options, HELP, USAGE)
        self.ahead = list(argv)
        self.given: Given = {}
        self.words: list[str] = []

    def read(self, *, until_word: bool) -> None:
        while self.ahead:
            word = self.ahead.pop(0)
            if word == "--":
                break
            if word.startswith("--"):
                self._long(word)
            elif word.startswith("-") and word != "-":
                self._letters(word[1:])
            else:
                self.words.append(word)
                if until_word:
                    break
        self.words += self.ahead

    def _long(self, word: str) -> None:
        name, sign, value = word[2:].partition("=")
        option = self._by_name(name)
        if sign and option.value == "none":
            raise WrongUsage(f"option '--{option.name}' doesn't allow an argument")
        self._keep(option, value if sign else None, f"'--{option.name}'")

    def _by_name(self, name: str) -> Option:
        exact = [option for option in self.options if option.name == name]
        found = exact or [option for option in self.options if option.name.startswith(name)]
        if not found:
            raise WrongUsage(f"unrecognized option '--{name}'")
        if len(found) > 1:
            meant = " ".join(f"'--{option.name}'" for option in found)
            raise WrongUsage(f"option '--{name}' is ambiguous; possibilities: {meant}")
        return found[0]

    def _letters(self, letters: str) -> None:
        while letters:
            letter, letters = letters[0], letters[1:]
            option = next((one for one in self.options if one.letter == letter), None)
            if option is None:
                raise WrongUsage(f"invalid option -- '{letter}'")
            if option.value == "none":
                self._keep(option, None, "")
            else:
                self._keep(option, letters or None, f"-- '{letter}'")
                return

    def _keep(self, option: Option, value: str | None, shown: str) -> None:
        if value is None and option.value == "required":
            if not self.ahead:
                raise WrongUsage(f"option {shown} requires an argument")
            value = self.ahead.pop(0)
        self.given.setdefault(option.name, []).append(value or "")


def parse(options: Iterable[Option], argv: Sequence[str], *, until_word: bool = False) -> tuple[Given, list[str]]:
    """The options that were given, and the words that are none; ``until_word`` stops behind the first of those.

    Raises WrongUsage, in the words that people know from other GNU programs.
    """
    reader = _Reader(options, argv)
    reader.read(until_word=until_word)
    return reader.given, reader.words


def lines(options: Iterable[Option]) -> Iterator[str]:
    """The options as a help text has them."""
    for option in (*options, HELP, USAGE):
        letter = f"-{option.letter}, " if option.letter else "    "
        value = f"[={option.metavar}]" if option.optional else f"={option.metavar}" if option.metavar else ""
        yield f"  {letter}--{option.name + value:<28} {option.help}"
