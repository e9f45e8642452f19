"""The files for a project, as they would be written, and the writing of them."""

import os
from typing import Literal

from linkspan.errors import ConfigError
from linkspan.facts.model import Model
from linkspan.image import dockerfile
from linkspan.image.dockerfile_checks import findings
from linkspan.image.dockerfile_model import DockerfileFinding
from linkspan.image.init import ignored, project, recipe
from linkspan.image.init.needs import Kind, needs
from linkspan.kernel import files

Action = Literal["create", "replace", "keep"]


class Draft(Model, frozen=True, kw_only=True):
    """A file to write: ``action`` is ``keep`` where it is there already with this very text."""

    path: str
    text: str
    action: Action


class Plan(Model, frozen=True, kw_only=True):
    """What is to be written for a project, and why; ``findings`` are what our own rules have against it."""

    kind: Kind
    reasons: tuple[str, ...]
    drafts: tuple[Draft, ...]
    findings: tuple[DockerfileFinding, ...] = ()


def plan(folder: str) -> Plan:
    """The files for the project in a folder. Raises ConfigError where it is no folder, or nothing tells what it is."""
    found = project.read(folder)
    wanted = needs(found)
    text = recipe.dockerfile(found, wanted)
    drafts = (("Dockerfile", text), (".dockerignore", ignored.dockerignore(found)))
    return Plan(
        kind=wanted.kind,
        reasons=wanted.reasons,
        drafts=tuple(_draft(f"{folder.rstrip('/') or '/'}/{name}", content) for name, content in drafts),
        findings=tuple(findings(dockerfile.parse(text))),
    )


def _draft(path: str, text: str) -> Draft:
    if not os.path.lexists(path):
        return Draft(path=path, text=text, action="create")
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            same = file.read(len(text) + 1) == text
    except OSError:
        same = False
    return Draft(path=path, text=text, action="keep" if same else "replace")


def write(made: Plan, force: bool = False) -> list[str]:
    """Write the files; the paths of the backups of those that were replaced.

    Raises ConfigError where a file is there already with another text and ``force`` is not given; nothing is written
    then.
    """
    there = [draft.path for draft in made.drafts if draft.action == "replace"]
    if there and not force:
        raise ConfigError(
            f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there already",
            hint="--force replaces them and keeps a backup; --dry-run only shows what would be written",
            subject=there[0],
        )
    backups = [back_up(path) for path in there]
    for draft in made.drafts:
        if draft.action != "keep":
            files.write_whole(draft.path, draft.text.encode())
    return backups


def back_up(path: str) -> str:
    """Move a file aside, to the first name that is free: ``Dockerfile.bak``, ``Dockerfile.bak.1``. Its new path."""
    for number in range(1000):
        name = f"{path}.bak.{number}" if number else f"{path}.bak"
        try:
            os.link(path, name, follow_symlinks=False)
        except FileExistsError:
            continue
        return name
    raise ConfigError(f"{path} has a thousand backups", hint="remove some of them", subject=path)
