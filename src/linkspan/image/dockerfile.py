r"""Dockerfiles and Containerfiles as data: every line is kept, so that what is read can be written back unchanged.

Read as BuildKit reads them (its ``frontend/dockerfile/parser``): directives at the top, comments and blank lines
between the lines of an instruction, ``\`` or a backtick at a line's end, here-documents of RUN, COPY and ADD. Nothing
is expanded here, see ``stages``. Pure, and bounded: a stranger may have written the text.
"""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from linkspan.errors import FormatError
from linkspan.facts.model import Model
from linkspan.image import docker_words

LARGEST = 1 << 20
"""Bytes of a Dockerfile; the largest in use have a few ten thousand."""
_MOST = 5000
"""Instructions; an image cannot have more than 127 layers."""
_LONGEST = (1 << 16) - 1
"""Characters of a line, BuildKit's own limit."""
KEYWORDS = frozenset(
    {
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
        *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
    }
)
_WITH_HEREDOCS = frozenset({"ADD", "COPY", "RUN"})
_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(\S.*?)?[ \t]*$")
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
_FLAG = re.compile(r"""--([A-Za-z][A-Za-z0-9-]*)(=(?:"[^"]*"|'[^']*'|\S)*)?(?:\s+|$)""")
_HEREDOC = re.compile(r"\d*<<(-?)([^<]+)$")


class Heredoc(Model, frozen=True, kw_only=True):
    """A here-document: ``expands`` where its name is not quoted; ``body`` without the tabs that ``<<-`` takes off."""

    name: str
    expands: bool
    body: str


class Text(Model, frozen=True, kw_only=True):
    """What is no instruction, as it stands in the file, line ends and all."""

    kind: Literal["directive", "comment", "blank"]
    line: int
    raw: str


class Instruction(Model, frozen=True, kw_only=True):
    """An instruction. Lines count from 1, ``end`` is its last one; ``raw`` is its text as it stands in the file.

    ``value`` is what follows keyword and flags, its lines joined and comments left out; ``words`` the JSON form, where
    it is one.
    """

    keyword: str
    line: int
    end: int
    raw: str
    value: str = ""
    flags: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] | None = None
    heredocs: tuple[Heredoc, ...] = ()

    def flag(self, name: str) -> str:
        """The value of a flag, empty where it is not given."""
        return dict(self.flags).get(name, "")

    def line_of(self, needle: str) -> int:
        """The first line of the instruction that holds a text, or the instruction's own."""
        lines = self.raw.split("\n")
        return next((self.line + number for number, line in enumerate(lines) if needle and needle in line), self.line)


class Dockerfile(Model, frozen=True, kw_only=True):
    """A Dockerfile; its ``pieces``, one after the other, are the file."""

    pieces: tuple[Text | Instruction, ...]
    escape: str = "\\"

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """The instructions, in order."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Instruction))

    @property
    def text(self) -> str:
        """The file as it was read."""
        return "".join(piece.raw for piece in self.pieces)


def parse(text: str) -> Dockerfile:
    """Read a Dockerfile.

    Raises FormatError, with the line in its message, where a builder would not read it either: an instruction that
    does not exist, a here-document without end, an escape character other than the two, a line or a file too long.
    """
    if len(text) > LARGEST:
        raise FormatError(f"the Dockerfile is larger than {LARGEST >> 10} KiB")
    return _Reader(text).read()


class _Reader:
    """Goes through the lines once."""

    def __init__(self, text: str) -> None:
        self.lines: list[str] = re.findall(r"[^\n]*\n|[^\n]+", text)
        self.at = self.found = 0
        self.escape = "\\"

    def read(self) -> Dockerfile:
        pieces: list[Text | Instruction] = list(self._directives())
        while self.at < len(self.lines):
            plain = self._plain(self.at).strip()
            if plain and not plain.startswith("#"):
                pieces.append(self._instruction())
            else:
                pieces.append(self._text("comment" if plain else "blank"))
        return Dockerfile(pieces=tuple(pieces), escape=self.escape)

    def _plain(self, at: int) -> str:
        """A line without its end and, at the top, the byte order mark."""
        line = self.lines[at].removesuffix("\n").removesuffix("\r")
        if len(line) > _LONGEST:
            raise FormatError(f"line {at + 1} is longer than {_LONGEST} characters")
        return line.removeprefix("\ufeff") if at == 0 else line

    def _text(self, kind: Literal["directive", "comment", "blank"]) -> Text:
        self.at += 1
        return Text(kind=kind, line=self.at, raw=self.lines[self.at - 1])

    def _directives(self) -> Iterator[Text]:
        seen: set[str] = set()
        while self.at < len(self.lines) and (found := _DIRECTIVE.match(self._plain(self.at))):
            name, value = found[1].lower(), found[2] or ""
            if name not in _DIRECTIVES:
                yield self._text("comment")
                continue
            if name in seen:
                raise FormatError(f"line {self.at + 1}: the directive {name} is given twice")
            seen.add(name)
            if name == "escape":
                self.escape = self._escape(value)
            yield self._text("directive")

    def _escape(self, value: str) -> str:
        if value not in ("\\", "`"):
            raise FormatError(f"line {self.at + 1}: the escape character is neither \\ nor `, but {value[:20]!r}")
        return value

    def _instruction(self) -> Instruction:
        first = self.at
        self.found += 1
        if self.found > _MOST:
            raise FormatError(f"the Dockerfile has more than {_MOST} instructions")
        keyword, rest = _split(self._logical())
        if keyword not in KEYWORDS:
            raise FormatError(f"line {first + 1}: there is no instruction {keyword[:40]!r}")
        flags, value = _flags(rest)
        heredocs = tuple(self._heredocs(keyword, value))
        return Instruction(
            keyword=keyword,
            line=first + 1,
            end=self.at,
            raw="".join(self.lines[first : self.at]),
            value=value,
            flags=flags,
            words=_json(value),
            heredocs=heredocs,
        )

    def _logical(self) -> str:
        """The lines of an instruction as one: whatever stands between them is left out."""
        joined, goes_on = self._cut(self._plain(self.at).lstrip())
        parts = [joined]
        self.at += 1
        while goes_on and self.at < len(self.lines):
            plain = self._plain(self.at)
            self.at += 1
            if plain.strip() and not plain.lstrip().startswith("#"):
                joined, goes_on = self._cut(plain)
                parts.append(joined)
        return "".join(parts).strip()

    def _cut(self, line: str) -> tuple[str, bool]:
        """A line without its escape character, and whether it had one; a doubled one is a character like any other."""
        bare = line.rstrip(" \t")
        if bare.endswith(self.escape) and not bare.endswith(self.escape * 2):
            return bare[:-1], True
        return line, False

    def _heredocs(self, keyword: str, value: str) -> Iterator[Heredoc]:
        if keyword == "ONBUILD":
            keyword, rest = _split(value)
            value = _flags(rest)[1]
        if keyword not in _WITH_HEREDOCS or "<<" not in value:
            return
        for word in docker_words.split(value, self.escape):
            found = _HEREDOC.match(word)
            name = docker_words.unquote(found[2], self.escape) if found else ""
            if found and name and not name.isspace():
                yield self._heredoc(name, name == found[2], bool(found[1]))

    def _heredoc(self, name: str, expands: bool, strips: bool) -> Heredoc:
        body: list[str] = []
        first = self.at
        while self.at < len(self.lines):
            line = self.lines[self.at].lstrip("\t") if strips else self.lines[self.at]
            self.at += 1
            if line.rstrip("\r\n") == name:
                return Heredoc(name=name, expands=expands, body="".join(body))
            body.append(line)
        raise FormatError(f"line {first}: the here-document {name[:40]} has no end")


def _split(line: str) -> tuple[str, str]:
    words = line.split(None, 1)
    return (words[0].upper() if words else ""), words[1] if len(words) > 1 else ""


def _flags(value: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags, at = [], 0
    while found := _FLAG.match(value, at):
        flags.append((found[1], docker_words.unquote((found[2] or "=")[1:], "\\")))
        at = found.end()
    return tuple(flags), value[at:]


def _json(value: str) -> tuple[str, ...] | None:
    if not value.startswith("["):
        return None
    try:
        return tuple(msgspec.json.decode(value, type=list[str]))
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
