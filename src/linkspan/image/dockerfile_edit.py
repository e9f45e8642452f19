"""Edits of a Dockerfile's text, at one instruction; everything else stays as it is, to the byte."""

import re

from linkspan.image import docker_words, stages
from linkspan.image.dockerfile import Dockerfile, Instruction

_ENDS = ("RUN", "COPY", "ADD", "FROM", "ARG", "ENV", "LABEL", "WORKDIR", "VOLUME", "EXPOSE", "USER", "SHELL")


def replaced(read: Dockerfile, instruction: Instruction, raw: str) -> str:
    """The file with other text in place of an instruction's; empty text takes it out."""
    return "".join(raw if piece is instruction else piece.raw for piece in read.pieces)


def appended(read: Dockerfile, instruction: Instruction, command: str) -> str | None:
    """The file with a command after those of a RUN; None where the RUN's form does not let one be added."""
    raw = instruction.raw.rstrip()
    last = raw.rpartition("\n")[2]
    if instruction.words is not None or instruction.heredocs or "#" in last or raw.endswith((";", "&", "|")):
        return None
    joint = f" {read.escape}\n && " if "\n" in raw else " && "
    return replaced(read, instruction, raw + joint + command + instruction.raw[len(raw) :])


def after(read: Dockerfile, instruction: Instruction, line: str) -> str:
    """The file with a line after an instruction."""
    end = "" if instruction.raw.endswith("\n") else "\n"
    return replaced(read, instruction, f"{instruction.raw}{end}{line}\n")


def before_the_command(read: Dockerfile, line: str) -> str:
    """The file with a line after all that makes the last stage, before what says how it is started."""
    return after(read, next(one for one in reversed(read.instructions) if one.keyword in _ENDS), line)


def with_variable(read: Dockerfile, instruction: Instruction, name: str, value: str | None) -> str | None:
    """The file with another raw value of a variable in an ENV; None takes the variable out, and an empty ENV with it.

    None is returned where comments stand between the ENV's lines: they would be lost.
    """
    pairs = stages.pairs(instruction, read.escape)
    if any(line.lstrip().startswith("#") for line in instruction.raw.split("\n")):
        return None
    kept = [(one, value if one == name else old) for one, old in pairs if one != name or value is not None]
    if not kept:
        return replaced(read, instruction, "")
    joint = f" {read.escape}\n    " if "\n" in instruction.raw.rstrip("\n") else " "
    text = joint.join(f"{one}={_quoted(raw or '', read.escape)}" for one, raw in kept)
    end = "\n" if instruction.raw.endswith("\n") else ""
    return replaced(read, instruction, f"ENV {text}{end}")


def _quoted(raw: str, escape: str) -> str:
    """A raw value that is one word: the old form of ENV takes several without quotes."""
    one = len(docker_words.split(raw, escape)) <= 1
    return raw if one else '"' + raw.replace('"', f'{escape}"') + '"'


def without_word(raw: str, word: str, instead: str = "") -> str:
    """A raw text without a word, or with another in its place; a line that is empty then goes, too."""
    blanks = "" if instead else r"[ \t]*"  # those after a word go with it
    there = re.compile(rf"(?<=\s){re.escape(word)}(?=\s|$){blanks}")
    kept: list[str] = []
    for line in raw.split("\n"):
        new = there.sub(instead, line)
        if new == line:
            kept.append(line)
        elif new.strip(" \t\\`"):
            kept.append(new.rstrip(" "))
    return "\n".join(kept)
