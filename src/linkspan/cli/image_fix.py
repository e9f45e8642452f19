"""``linkspan image fix``: what is wrong with Dockerfiles, and the change that mends it."""

import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec
import typer
from rich.text import Text

from linkspan.check.model import Severity
from linkspan.cli import image_reports, output
from linkspan.cli.image_reports import Wanted
from linkspan.cli.output import UsageError
from linkspan.errors import FormatError, LinkspanError, RequestError
from linkspan.explain import shown
from linkspan.image import dockerfile, dockerfile_fix, judged, reports
from linkspan.image.dockerfile_fix import Mended
from linkspan.image.dockerfile_model import DockerfileFinding
from linkspan.image.dockerfile_source import as_finding
from linkspan.image.init import plan as plans
from linkspan.image.judged import Judged, legible
from linkspan.image.reports import Unread
from linkspan.kernel import files

Files = Annotated[list[str], typer.Argument(metavar="DOCKERFILE...", help="The files; '-' is standard input.")]
_COLOURS: dict[Severity, str] = {"critical": "bold red", "error": "red", "warning": "yellow", "info": "cyan"}
_LINE = re.compile(r"\bline (\d+)\b")


class Done(NamedTuple):
    """A Dockerfile, its mended text, and whether that was written; or why there is none."""

    path: str
    mended: Mended | None = None
    written: bool = False
    backup: str = ""
    error: Exception | None = None

    @property
    def name(self) -> str:
        """The path as it is shown."""
        return "Dockerfile" if self.path == "-" else self.path

    @property
    def there(self) -> Sequence[DockerfileFinding]:
        """The faults that the file has now."""
        if self.mended is None:
            return ()
        every = (*self.mended.left, *self.mended.gone)
        return self.mended.left_after if self.written else sorted(every, key=lambda one: one.line)


def fix(
    dockerfiles: Files,
    *,
    write: Annotated[bool, typer.Option("--write", help="Change the files, and keep a backup of each.")] = False,
    backup: Annotated[bool, typer.Option(help="Keep a backup of what is changed.")] = True,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="SEVERITY", help=f"One of {', '.join(judged.SEVERITIES)}.")
    ] = "warning",
    sarif: image_reports.Sarif = "",
    junit: image_reports.Junit = "",
    code_quality: image_reports.Quality = "",
    github: Annotated[
        bool, typer.Option("--github", help="Print annotations for a workflow of GitHub's, not a diff.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is wrong with Dockerfiles, and print the change that mends what can be mended.

    The change is a unified diff on standard output, what is left to you is told on standard error.

    Exit codes: 0 nothing at or above --fail-on is left in the files; 1 something is; 2 wrong usage; 3 a file could not
    be read or written, or no builder would build it: the others are judged all the same.
    """
    limit = image_reports.severity(fail_on)
    wanted = image_reports.settled(Wanted(sarif, junit, code_quality), as_json=as_json, github=github)
    if "-" in dockerfiles and (write or dockerfiles.count("-") > 1):
        what = "written to" if write else "read twice"
        raise UsageError(f"standard input cannot be {what}: leave {'--write' if write else 'one -'} out")
    every = [_done(path, write, backup) for path in dict.fromkeys(dockerfiles)]
    found = _judged(every)
    _show(every, found, quiet=wanted.is_printed, github=github, as_json=as_json)
    image_reports.write(wanted, found, limit, _unread(every))
    if any(one.error for one in every):
        raise typer.Exit(judged.COULD_NOT_READ)
    raise typer.Exit(judged.exit_code(found, limit))


def _done(path: str, write: bool, keeps: bool) -> Done:
    try:
        mended = _mend(path)
        return Done(path, mended, written=write, backup=_write(path, mended, keeps) if write else "")
    except BrokenPipeError:
        raise  # whoever read our output has seen enough
    except (LinkspanError, OSError) as error:
        return Done(path, error=error)


def _mend(path: str) -> Mended:
    what = "standard input" if path == "-" else path
    try:
        return dockerfile_fix.mend(_bytes(path).decode())
    except UnicodeDecodeError as error:
        raise FormatError(f"{what} is no text in UTF-8", subject=path) from error
    except FormatError as error:
        raise FormatError(f"{what}: {error.message}", hint=error.hint, subject=path) from error


def _bytes(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read(dockerfile.LARGEST * 4 + 1)
    if os.path.isdir(path):
        hint = f"name the file in it: {os.path.join(path, 'Dockerfile')}"
        raise RequestError(f"{path} is a folder", hint=hint, subject=path)
    with open(path, "rb") as file:
        return file.read(dockerfile.LARGEST * 4 + 1)


def _write(path: str, mended: Mended, keeps: bool) -> str:
    """Write a file that has changed; the path of its backup, empty where there is none."""
    if mended.after == mended.before:
        return ""
    real = os.path.realpath(path)  # a symlink stays one
    kept = plans.back_up(real) if keeps else ""
    files.write_whole(real, mended.after.encode(), mode=None)
    return kept


def _judged(every: Sequence[Done]) -> Judged:
    """The faults of all files as one check."""
    found = tuple(as_finding(one, done.name) for done in every for one in done.there)
    return Judged(source=legible(every[0].name), is_dockerfile=True, findings=found)


def _unread(every: Sequence[Done]) -> tuple[Unread, ...]:
    return tuple(Unread(one.name, legible(_message(one.error)), _line(one.error)) for one in every if one.error)


def _message(error: Exception) -> str:
    return output.explained(error)[0]


def _line(error: Exception) -> int:
    """The line that an error blames: only a builder's complaints name one."""
    found = _LINE.search(str(error)) if isinstance(error, FormatError) else None
    return int(found[1]) if found else 0


def _show(every: Sequence[Done], found: Judged, *, quiet: bool, github: bool, as_json: bool) -> None:
    if as_json:
        output.show_json([_as_json(one) for one in every])
    if github:
        for line in reports.github(found, _unread(every)):
            typer.echo(line)
    for one in every:
        if one.error:
            output.fail(one.error)
        elif not (quiet or github or as_json):
            _tell(one)
        if one.backup:
            typer.echo(f"kept what was there as {one.backup}", err=True)


def _tell(done: Done) -> None:
    mended = done.mended
    assert mended is not None  # whoever has no text has an error
    if not done.written:
        sys.stdout.write(mended.diff(done.name))
        sys.stdout.flush()  # the diff stands above what is said of it, where both go to one place
    for finding in mended.gone:
        _say(done.name, finding, "mended" if done.written else "can be mended")
    for finding in mended.left_after if done.written else mended.left:
        _say(done.name, finding, finding.fix)
    if mended.gone and not done.written and done.path != "-":
        output.stderr().print(Text.assemble(("hint: ", "bold"), "--write makes the change"))


def _say(path: str, finding: DockerfileFinding, what: str) -> None:
    severity = (finding.severity, _COLOURS[finding.severity])
    place = f"{shown.line(path)}:{finding.line}: "
    line = Text.assemble(place, severity, f" {finding.id} {shown.line(finding.cause)}: {shown.line(what)}")
    output.stderr().print(line)


def _as_json(done: Done) -> dict[str, object]:
    if done.mended is None or done.error:
        return {"path": legible(done.path), "error": legible(_message(done.error or ValueError())), "written": False}
    mended = done.mended
    return {
        "path": legible(done.path),
        "written": done.written and mended.after != mended.before,
        "mended": msgspec.to_builtins(mended.gone),
        "left": msgspec.to_builtins(mended.left_after if done.written else mended.left),
        "diff": mended.diff(legible(done.name)),
    }
