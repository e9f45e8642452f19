"""``linkspan image init`` and ``linkspan image fix``: a Dockerfile for a project, and a Dockerfile put right."""

import os
import sys
from typing import Annotated
from urllib.parse import quote

import msgspec
import typer
from rich.text import Text

from linkspan.check.model import Severity
from linkspan.cli import output
from linkspan.cli.output import UsageError
from linkspan.errors import ConfigError, FormatError
from linkspan.image import dockerfile, dockerfile_fix
from linkspan.image.dockerfile_fix import Mended
from linkspan.image.dockerfile_model import DockerfileFinding
from linkspan.image.init import plan as plans
from linkspan.image.init.plan import Plan
from linkspan.kernel import files

Files = Annotated[list[str], typer.Argument(metavar="DOCKERFILE...", help="The files; '-' is standard input.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_COLOURS: dict[Severity, str] = {"critical": "bold red", "error": "red", "warning": "yellow", "info": "cyan"}
"""From the worst to the least."""
_GITHUB = {"critical": "error", "error": "error", "warning": "warning", "info": "notice"}


def init(
    folder: Annotated[str, typer.Argument(metavar="[FOLDER]", help="Where the project is.")] = ".",
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there, and keep a backup.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the files; write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a Dockerfile and a .dockerignore for a project.

    What the project needs is read from its files: pyproject.toml, requirements.txt, environment.yml, CMakeLists.txt,
    sources, model repositories of Triton. Nothing of it is run. The Dockerfile breaks none of linkspan's rules.
    """
    made = plans.plan(folder)
    backups = [] if dry_run else plans.write(made, force)
    if as_json:
        output.show_json({**msgspec.to_builtins(made), "written": not dry_run, "backups": backups})
    elif dry_run:
        for draft in made.drafts:
            typer.echo(f"# {draft.path} ({draft.action})\n{draft.text}")
    else:
        _tell(made, backups)


def _tell(made: Plan, backups: list[str]) -> None:
    for reason in made.reasons:
        output.show(Text(reason, style="dim"))
    words = {"create": "wrote", "replace": "replaced", "keep": "is up to date:"}
    for draft in made.drafts:
        typer.echo(f"{words[draft.action]} {draft.path}")
    for backup in backups:
        typer.echo(f"kept what was there as {backup}")
    for finding in made.findings:
        output.warn(f"Dockerfile:{finding.line}: {finding.cause} ({finding.id})", finding.fix)


def fix(
    dockerfiles: Files,
    *,
    write: Annotated[bool, typer.Option("--write", help="Change the files, and keep a backup of each.")] = False,
    backup: Annotated[bool, typer.Option(help="Keep a backup of what is changed.")] = True,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="SEVERITY", help="One of critical, error, warning, info.")
    ] = "warning",
    github: Annotated[
        bool, typer.Option("--github", help="Print annotations for a workflow of GitHub's, not a diff.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with Dockerfiles, and print the change that mends what can be mended.

    The change is a unified diff on standard output, what is left to you is told on standard error. Exit code 0 where
    nothing at or above --fail-on is left in the files, 1 where something is.
    """
    if fail_on not in _COLOURS:
        raise UsageError(f"--fail-on is '{fail_on}', not one of {', '.join(_COLOURS)}")
    all_mended = [(path, _mend(path)) for path in dockerfiles]
    backups = [_write(path, mended, backup) for path, mended in all_mended] if write else []
    if as_json:
        output.show_json([_as_json(path, mended, write) for path, mended in all_mended])
    for path, mended in all_mended if not as_json else ():
        (_annotate if github else _show)(path, mended, write)
    for name in filter(None, backups if not as_json else ()):
        typer.echo(f"kept what was there as {name}", err=True)
    counting = list(_COLOURS)[: list(_COLOURS).index(fail_on) + 1]
    there = [one for _, mended in all_mended for one in _there(mended, write)]
    if any(one.severity in counting for one in there):
        raise typer.Exit(output.FAILED)


def _mend(path: str) -> Mended:
    text = sys.stdin.buffer.read(dockerfile.LARGEST * 4 + 1) if path == "-" else _bytes(path)
    try:
        return dockerfile_fix.mend(text.decode())
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is no text in UTF-8", subject=path) from error
    except FormatError as error:
        raise FormatError(f"{path}: {error.message}", hint=error.hint, subject=path) from error


def _bytes(path: str) -> bytes:
    if os.path.isdir(path):
        raise ConfigError(
            f"{path} is a folder", hint=f"name the file in it: {path.rstrip('/')}/Dockerfile", subject=path
        )
    with open(path, "rb") as file:
        return file.read(dockerfile.LARGEST * 4 + 1)


def _write(path: str, mended: Mended, keeps: bool) -> str:
    """Write a file that has changed; the path of its backup, empty where there is none."""
    if mended.after == mended.before:
        return ""
    if path == "-":
        raise ConfigError("standard input cannot be written to", hint="leave --write out, and take the diff")
    kept = plans.back_up(path) if keeps else ""
    files.write_whole(path, mended.after.encode(), mode=None)
    return kept


def _show(path: str, mended: Mended, written: bool) -> None:
    name = "Dockerfile" if path == "-" else path
    if not written:
        sys.stdout.write(mended.diff(name))
    for finding in mended.gone:
        _say(name, finding, "mended" if written else "can be mended")
    for finding in mended.left_after if written else mended.left:
        _say(name, finding, finding.fix)


def _there(mended: Mended, written: bool) -> list[DockerfileFinding]:
    """The faults that the file has now."""
    return list(mended.left_after) if written else sorted((*mended.left, *mended.gone), key=lambda one: one.line)


def _annotate(path: str, mended: Mended, written: bool) -> None:
    """Print workflow commands of GitHub's; what could end one early is escaped as its runner wants it."""
    place = quote(path, safe="/ ")
    for finding in _there(mended, written):
        text = f"{finding.cause}; {finding.fix}"
        for char, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
            text = text.replace(char, code)
        typer.echo(f"::{_GITHUB[finding.severity]} file={place},line={finding.line},title={finding.id}::{text}")


def _say(path: str, finding: DockerfileFinding, what: str) -> None:
    severity = (finding.severity, _COLOURS[finding.severity])
    line = Text.assemble(f"{path}:{finding.line}: ", severity, f" {finding.id} {finding.cause}: {what}")
    output.stderr().print(line)


def _as_json(path: str, mended: Mended, written: bool) -> dict[str, object]:
    return {
        "path": path,
        "written": written and mended.after != mended.before,
        "mended": msgspec.to_builtins(mended.gone),
        "left": msgspec.to_builtins(mended.left_after if written else mended.left),
        "diff": mended.diff("Dockerfile" if path == "-" else path),
    }
