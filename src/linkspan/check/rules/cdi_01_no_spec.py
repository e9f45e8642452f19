"""An engine that gives GPUs by CDI names, and no spec that it could take them from."""

import posixpath
from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.daemons import Engine
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.check.specs import KIND, Specs
from linkspan.store.spec_file import SpecFile


def _look(scene: Scene) -> Iterator[Found]:
    if not cdi_use.is_wanted(scene):
        return
    for engine in cdi_use.by_name_only(scene):
        specs = cdi_use.specs_of(scene, engine)
        if not specs.of_kind():
            yield from _none(scene, engine, specs)
            break
    if cdi_use.by_name_only(scene):
        yield from _closed(scene)


def _none(scene: Scene, engine: Engine, specs: Specs) -> Iterator[Found]:
    if specs is not scene.specs and scene.specs.of_kind():
        yield _in_other_folders(scene, engine, specs)
        return
    bad = [file for file in specs.unreadable if cdi_use.is_nvidias(specs.eyes, file)]
    for file in bad:
        if not _is_another_rules(file):
            yield _unusable(scene, engine, file)
    if not bad and not cdi_use.unseen(scene) and not cdi_use.refresh_unit(scene.eyes):
        yield Found(
            cause=f"{engine.title} is asked for GPUs by CDI names, and no spec of nvidia.com/gpu was ever written",
            evidence=tuple(Evidence(subject=folder, field="specs", value="none") for folder in specs.folders),
            remedy=cdi_use.refresh(scene, "write the spec"),
            about=engine.title,
        )


def _in_other_folders(scene: Scene, engine: Engine, specs: Specs) -> Found:
    place = scene.specs.of_kind()[0].path
    return Found(
        cause=f"{engine.title} looks for specs in {', '.join(specs.folders)} alone, and that of the GPUs is {place}",
        evidence=(
            Evidence(subject=engine.config, field="folders of specs", value=", ".join(specs.folders)),
            Evidence(subject=place, field="kind", value=KIND),
        ),
        remedy=Remedy(text=f"add {posixpath.dirname(place)} to the folders of specs in {engine.config}"),
        about=engine.title,
    )


def _unusable(scene: Scene, engine: Engine, file: SpecFile) -> Found:
    first = file.problems[0]
    return Found(
        cause=f"no engine can use {file.path}: {first.address or 'the spec'} {first.reason}",
        evidence=(Evidence(subject=file.path, field="problem", value=file.first_problem),),
        remedy=cdi_use.refresh(scene, path=file.path),
        about=engine.title,
    )


def _is_another_rules(file: SpecFile) -> bool:
    """Too new for its own version, or with a device that adds nothing: those are failures of their own."""
    first = file.problems[0]
    return first.where[-1:] == ("cdiVersion",) or (first.where[-1:] == ("containerEdits",) and "empty" in first.reason)


def _closed(scene: Scene) -> Iterator[Found]:
    """A spec that only root may read is none for the engines of others."""
    users = any(engine.rootless for engine in scene.engines) or any(
        one.engine == "podman" and one.process.uid for one in scene.containers
    )
    for file in scene.specs.of_kind() if users or scene.engines_of("podman") else ():
        status = scene.eyes.follow(file.path)
        if status and not status.mode & 0o004:
            yield Found(
                cause=f"{file.path} may be read by root alone, so the engines of users find no device",
                evidence=(Evidence(subject=file.path, field="mode", value=f"{status.mode:04o}"),),
                remedy=Remedy(text="let everybody read it", commands=(f"chmod 0644 {file.path}",)),
                severity="error" if users else "warning",
            )


RULE = Rule(id="D-CDI-1", link="bridge", severity="error", look=_look)
