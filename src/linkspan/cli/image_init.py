"""``linkspan image init``: a Dockerfile for a project."""

from typing import Annotated

import msgspec
import typer
from rich.text import Text

from linkspan.cli import output
from linkspan.image.init import plan as plans
from linkspan.image.init.plan import Plan

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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
