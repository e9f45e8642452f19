"""Reports of ``linkspan image`` for other programs, written beside the answer or printed in its place."""

import sys
from typing import Annotated, NamedTuple

import msgspec
import typer

from linkspan.check.model import Severity
from linkspan.cli import picture
from linkspan.cli.output import UsageError
from linkspan.image import reports
from linkspan.image.judged import SEVERITIES, Judged
from linkspan.image.reports import Unread

Sarif = Annotated[str, typer.Option("--sarif", metavar="FILE", help="Also write a SARIF 2.1.0 log; - prints it.")]
Junit = Annotated[str, typer.Option("--junit", metavar="FILE", help="Also write JUnit's XML; - prints it.")]
Quality = Annotated[
    str,
    typer.Option("--code-quality", metavar="FILE", help="Also write a code quality report of GitLab's; - prints it."),
]


class Wanted(NamedTuple):
    """Where each report goes: a file, ``-`` for standard output, empty for nowhere."""

    sarif: str = ""
    junit: str = ""
    quality: str = ""

    @property
    def is_printed(self) -> bool:
        """Whether a report stands in place of the answer."""
        return "-" in self


def settled(wanted: Wanted, *, as_json: bool, github: bool) -> Wanted:
    """The reports. UsageError where more than one thing would be printed."""
    if sum((as_json, github, *(path == "-" for path in wanted))) > 1:
        raise UsageError("--json, --github, and - for --sarif, --junit and --code-quality, each print: choose one")
    return wanted


def severity(text: str) -> Severity:
    """The severity that ``--fail-on`` names. UsageError where there is none of that name."""
    found = next((one for one in SEVERITIES if one == text), None)
    if found is None:
        raise UsageError(f"--fail-on is '{text}', not one of {', '.join(SEVERITIES)}")
    return found


def write(wanted: Wanted, found: Judged, limit: Severity, unread: tuple[Unread, ...] = ()) -> None:
    """Write the reports; raises what ``picture.write`` raises."""
    if wanted.sarif:
        _put(wanted.sarif, _json(reports.sarif(found, unread)))
    if wanted.junit:
        _put(wanted.junit, reports.junit(found, limit, unread))
    if wanted.quality:
        _put(wanted.quality, _json(reports.code_quality(found, unread)))


def _json(document: object) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _put(path: str, text: str) -> None:
    if path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())  # these forms are UTF-8, whatever the locale
        sys.stdout.buffer.flush()
    else:
        picture.write(path, text)
