"""The commands of a RUN instruction, as far as rules ask: split, told apart, and what they install.

A shell is not interpreted here. What stands in quotes is one word, what stands in parentheses counts as commands of its
own, that of ``$(...)`` stays in its word, too, and a loop's body counts as if it ran once.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from linkspan.image import docker_words
from linkspan.image.dockerfile import Instruction

_BREAKS = ";&|\n()"
_PARENTHESIS = re.compile(r"[()]")
_LONGEST_INNER = 2000
"""Characters of a command substitution; longer ones are split like everything else."""
_DEEPEST = 5
_MOST_INNER = 500
_BEFORE = frozenset(
    {"sudo", "env", "exec", "time", "command", "nohup", "if", "then", "else", "elif", "do", "while", "until", "!", "{"}
)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_MANAGERS = {
    "install": frozenset({"apt-get", "apt", "aptitude", "yum", "dnf", "microdnf", "tdnf", "zypper"}),
    "in": frozenset({"zypper"}),
    "add": frozenset({"apk"}),
    "-S": frozenset({"pacman"}),
}
_REMOVERS = frozenset({"purge", "remove", "autoremove", "erase", "del"})
_SYSTEM = frozenset().union(*_MANAGERS.values())
_TAKES_VALUE = frozenset({"-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-o"})
_TAKES_VALUE_TOO = frozenset({"-t", "--target", "-f", "--find-links", "--prefix", "--python", "-n", "--name", "-t="})


class Command(NamedTuple):
    """A command: ``program`` without folder, what followed it, its options among them, unquoted."""

    program: str
    arguments: tuple[str, ...]

    @property
    def text(self) -> str:
        """The command on one line."""
        return " ".join((self.program, *self.arguments))


def commands(instruction: Instruction, escape: str = "\\") -> tuple[Command, ...]:
    """The commands of a RUN, those of a here-document that a shell is given among them."""
    if instruction.words is not None:
        words = instruction.words
        is_shell = len(words) > 2 and words[0].rpartition("/")[2] in ("sh", "bash", "ash", "dash") and "c" in words[1]
        return tuple(_of(words[2])) if is_shell else tuple(_command(words))
    found = list(_of(instruction.value)) if not instruction.value.startswith("<<") else []
    is_script = not found or found[0].program in ("sh", "bash", "ash", "dash")
    for document in instruction.heredocs if is_script else ():
        found += _of(document.body.replace(f"{escape}\n", " "))
    return tuple(found)


def _of(script: str, depth: int = 0) -> Iterator[Command]:
    inner: list[str] = []
    for words in _split(script, inner):
        yield from _command(tuple(docker_words.unquote(word) for word in words))
    for part in inner if depth < _DEEPEST else ():
        yield from _of(part, depth + 1)


def _split(script: str, inner: list[str]) -> Iterator[list[str]]:
    """The words of each command; what ``$(...)`` runs stays in its word, and is added to ``inner``."""
    words: list[str] = []
    start, quote, at = -1, "", 0
    while at < len(script):
        char = script[at]
        if quote != "'" and (end := _whole(script, at, inner)) > at:
            start, at = (at if start < 0 else start), end
            continue
        if quote or char in "'\"":
            quote = "" if char == quote else quote or char
            start = at if start < 0 else start
        elif char == "#" and start < 0:
            at = (script.find("\n", at) + 1 or len(script) + 1) - 1
            continue
        elif char.isspace() or char in _BREAKS or char in "<>":
            if start >= 0:
                words.append(script[start:at])
            start = -1
            if char in "<>":
                words.append(char)
            elif char in _BREAKS and not (char == "&" and words and words[-1] == ">"):
                yield words
                words = []
        elif start < 0:
            start = at
        at += 1
    yield [*words, script[start:]] if start >= 0 else words


def _whole(script: str, at: int, inner: list[str]) -> int:
    """The end of what is one whole from here on, an escaped character or a ``$(...)``; where we are, if it is none."""
    if script[at] == "\\":
        return at + 2
    # One that does not close costs a look ahead, so there is an end to these.
    may_close = script.startswith("$(", at) and len(inner) < _MOST_INNER
    end = _closing(script, at + 2) if may_close else -1
    if end < 0:
        inner += [""] * may_close
        return at
    inner.append(script[at + 2 : end])
    return end + 1


def _closing(script: str, at: int) -> int:
    """Where the parenthesis that is open closes, -1 for nowhere; quotes are not looked at."""
    depth = 1
    for found in _PARENTHESIS.finditer(script, at, at + _LONGEST_INNER):
        depth += 1 if found[0] == "(" else -1
        if not depth:
            return found.start()
    return -1


def _command(words: tuple[str, ...]) -> Iterator[Command]:
    at = 0
    while at < len(words) and (words[at] in _BEFORE or _ASSIGNMENT.match(words[at]) or (at and words[at][:1] == "-")):
        at += 1
    if at < len(words) and words[at]:
        yield Command(words[at].rpartition("/")[2], words[at + 1 :])


def installed(found: tuple[Command, ...]) -> dict[str, str]:
    """The packages of the distribution that commands install and leave there: name to the name as it is written."""
    kept: dict[str, str] = {}
    for command in found:
        if command.program not in _SYSTEM:
            continue
        words = _operands(command.arguments)
        verb, names = (words[0], words[1:]) if words else ("", [])
        if "-S" in "".join(word for word in command.arguments if word.startswith("-S"))[:2]:
            verb, names = "-S", words
        if command.program in _MANAGERS.get(verb, ()):
            kept |= {_plain(name): name for name in names}
        elif verb in _REMOVERS:
            for name in names:
                kept.pop(_plain(name), None)
    return kept


def _operands(arguments: tuple[str, ...]) -> list[str]:
    kept: list[str] = []
    skips = False
    for word in arguments:
        if word in "<>":
            break
        if not skips and not word.startswith("-"):
            kept.append(word)
        skips = word in _TAKES_VALUE or word in _TAKES_VALUE_TOO
    return kept


def _plain(name: str) -> str:
    return re.split(r"[=:*<>~]", name, maxsplit=1)[0]


class Pip(NamedTuple):
    """An installation of Python packages: by which program, what, and all of its words."""

    tool: str
    packages: tuple[str, ...]
    words: tuple[str, ...]


def pips(found: tuple[Command, ...]) -> Iterator[Pip]:
    """The installations of Python packages: pip by any of its names, uv, conda and its kin."""
    for command in found:
        words = (command.program, *command.arguments)
        if re.fullmatch(r"python[0-9.]*", words[0]) and words[1:2] == ("-m",):
            words = words[2:]
        tool = "pip" if re.fullmatch(r"pip[0-9.]*", words[0] if words else "") else words[0] if words else ""
        if tool == "uv" and words[1:2] == ("pip",):
            words = words[1:]
        elif tool not in ("pip", "conda", "mamba", "micromamba"):
            continue
        operands = _operands(words[1:])
        if operands[:1] == ["install"]:
            yield Pip(tool, tuple(operands[1:]), words)


def project(requirement: str) -> str:
    """The name in a requirement, in the one spelling: ``Torch[x]>=2`` is ``torch``."""
    return re.split(r"[\[=<>!~;@ ]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")
