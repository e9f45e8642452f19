"""The part of ``linkspan explain`` that is about pasted errors: reading them, and the answer at a terminal."""

import codecs
import sys
from collections.abc import Iterator

import msgspec
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from linkspan.cli import output
from linkspan.cli.fields import Field, Fields, heading, listed
from linkspan.errors import FormatError, KernelError
from linkspan.explain.here import seen
from linkspan.explain.pasted import Fit, Own, Pasted, classify

SIZE_LIMIT = 64 * 1024 * 1024
"""How many bytes of a log are read; of a longer one the beginning is looked at."""

_BINARY = 0.1
"""A text of which a larger part than this cannot be printed is not one."""

_SHOWN = 5
_HOW = "give it a text: linkspan explain - < FILE, or linkspan explain --error TEXT"


def from_standard_input() -> str:
    """The text on standard input. At a terminal it is pasted, so tell how that ends."""
    if sys.stdin is None:
        raise KernelError("standard input is closed", hint=_HOW)
    if sys.stdin.isatty():
        output.stderr().print("Paste the error, then press Ctrl-D on a line of its own.")
    data = sys.stdin.buffer.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        output.warn(f"only the first {SIZE_LIMIT // 2**20} MiB are looked at", hint="give it the part with the error")
    return decoded(data[:SIZE_LIMIT])


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8, or with such a mark at its head the UTF-16 that PowerShell writes."""
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if is_wide else "utf-8-sig", "replace")


def explain(text: str, *, as_json: bool, root: str) -> int:
    """Print what is made of a text, and which of the failures that fit the host below ``root`` has.

    The exit code: 0 where it was recognised, 1 where not, 3 where it is no text.
    """
    try:
        check(text)
    except FormatError as error:
        output.fail(error)
        return output.CANNOT_LOOK
    found = classify(text)
    here = seen([fit.id for fit in found.fits], root)
    if as_json:
        output.show_json({"known": found.known, **msgspec.to_builtins(found), "here": here})
    else:
        output.show(*lines(found, here))
    return output.OK if found.known else output.FAILED


def check(text: str) -> None:
    """Raise FormatError where there is nothing to read: an empty text, or one that is none."""
    if not text.strip():
        raise FormatError("there is no text to explain", hint=_HOW)
    sample = text[:65536]
    odd = sum(not (char.isprintable() or char in "\n\r\t\x1b\b\f") or char == "\ufffd" for char in sample)
    if odd > _BINARY * len(sample):
        raise FormatError("this is not text: most likely it is a compressed or binary file", hint="unpack it first")


def lines(found: Pasted, here: dict[str, tuple[str, ...]]) -> Iterator[RenderableType]:
    """The answer for people; ``here`` are the failures that this host has."""
    if found.messages:
        yield Text("What it says, without what was put around it", style="bold")
        yield Padding(Group(*(Text(message) for message in found.messages)), (0, 0, 1, 2))
    for own in found.own:
        yield _own(own)
    for number, fit in enumerate(found.fits[:_SHOWN]):
        if number == 1:
            yield Text("It could also be\n", style="bold")
        yield _fit(fit, here.get(fit.id, ()))
    if more := found.fits[_SHOWN:]:
        yield Text("Less likely: " + ", ".join(f"{fit.id} ({fit.title})" for fit in more), style="dim")
    if not found.known:
        yield from _unknown()


def _fit(fit: Fit, causes: tuple[str, ...]) -> RenderableType:
    rows = [
        Field("known by", fit.matched, exact=True),
        *(Field("here", f"this host has it: {cause}", "bold", label_style="bold red") for cause in causes),
        Field("why", fit.why),
        Field("tell by", fit.tell),
        Field("do", fit.remedy),
        *listed("more", list(fit.links), "dim", exact=True),
    ]
    return Group(heading((fit.id, "bold red"), "  ", (fit.title, "bold")), Fields(rows, space=True))


def _own(own: Own) -> RenderableType:
    rows = [Field("cause", own.message)]
    if own.hint:
        rows.append(Field("do", own.hint))
    if own.meaning:
        rows.append(Field("code", f"{own.code}: {own.meaning[:1].lower()}{own.meaning[1:]}"))
    head = heading((own.program, "bold red"), "  ", ("linkspan itself says this", "bold"))
    return Group(head, Fields(rows, space=True))


def _unknown() -> Iterator[RenderableType]:
    yield Text("No failure mode that linkspan knows fits this text.", style="bold")
    yield Text("It may have nothing to do with GPUs, or the line with the cause is missing: engines often put it last.")
    yield Text("'linkspan doctor' looks at this host itself.")
