"""CDI specs as files: read with every problem and its line, written whole or not at all (contract 5.2)."""

import os
from typing import Literal

import msgspec

from linkspan.emit import cdi as emit
from linkspan.emit import cdi_origin
from linkspan.emit.cdi_origin import Origin
from linkspan.errors import KernelError, SpecError
from linkspan.formats.cdi import Document
from linkspan.formats.cdi_reader import read as read_text
from linkspan.formats.cdi_rules import Problem, problems
from linkspan.kernel import files, trees

Format = Literal["json", "yaml"]
SIZE_LIMIT = 32 * 1024 * 1024


class SpecFile(msgspec.Struct, frozen=True):
    """A spec as it was read: its document (None where it has problems), and what it was made from, if it says so."""

    path: str
    document: Document | None
    problems: list[Problem]
    origin: Origin | None = None

    @property
    def first_problem(self) -> str:
        """The first problem as one line, with how many more there are."""
        problem, *more = self.problems
        return f"{describe(self.path, problem)}{f' (and {len(more)} more)' if more else ''}"


def describe(path: str, problem: Problem) -> str:
    """A problem as one line: ``FILE:LINE: ADDRESS REASON``."""
    place = f"{path}:{problem.line}" if problem.line else path
    return f"{place}: {problem.address or 'the spec'} {problem.reason}"


def read(path: str) -> SpecFile:
    """Read and check one file. Never raises: a file that cannot be read has that problem."""
    try:
        with open(path, "rb") as file:
            return check(path, file.read(SIZE_LIMIT + 1))
    except OSError as error:
        return SpecFile(path, None, [Problem((), f"cannot be read: {(error.strerror or 'unknown').lower()}")])


def check(path: str, data: bytes) -> SpecFile:
    """Check the content of a file."""
    if len(data) > SIZE_LIMIT:
        return SpecFile(path, None, [Problem((), f"is larger than {SIZE_LIMIT >> 20} MiB", 1)])
    document, found = read_text(data)
    return SpecFile(path, None if found else document, found, cdi_origin.read(data))


def place(output: str, chosen: Format | None) -> tuple[str, Format]:
    """The file to write for ``--output`` and ``--format``: the extension decides; where it is neither, one is added."""
    extension = os.path.splitext(output)[1].removeprefix(".")
    if extension in ("json", "yaml"):
        return output, "json" if extension == "json" else "yaml"
    known: Format = chosen or "yaml"
    return f"{output}.{known}", known


def render(document: Document, form: Format, origin: Origin | None = None) -> bytes:
    """The text of a file. Raises SpecError where the document breaks CDI's rules: such a file is never written."""
    found = problems(document)
    if found:
        raise SpecError(
            f"the spec would not be valid: {found[0].address or 'the spec'} {found[0].reason}",
            hint="no engine would read it, so it is not written",
            subject=found[0].address,
        )
    if form == "json":
        return emit.to_json(document).encode()
    return emit.to_yaml(document, cdi_origin.remark(origin) if origin else "").encode()


def write(path: str, text: bytes) -> None:
    """Put a file in place by rename, readable by all; missing folders are made."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path):
        raise KernelError(f"cannot write {path}: it is a folder", subject=path)
    trees.make_folders(folder)
    files.write_whole(path, text, 0o644)
