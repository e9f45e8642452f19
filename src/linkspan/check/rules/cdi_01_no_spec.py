"""An engine that gives GPUs by CDI names, and no spec that it could take them from."""

from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.store.registry import SPEC_FOLDERS
from linkspan.store.spec_file import SpecFile


def _look(scene: Scene) -> Iterator[Found]:
    engines = cdi_use.by_name_only(scene)
    if not engines or not cdi_use.is_wanted(scene):
        return
    broken = [file for file in scene.specs.unreadable if not _is_another_rules(file)]
    usable = scene.specs.of_kind()
    for file in broken if not usable else ():
        yield Found(
            cause=f"no engine can use {file.path}: {file.problems[0].address or 'the spec'} {file.problems[0].reason}",
            evidence=(Evidence(subject=file.path, field="problem", value=file.first_problem),),
            remedy=cdi_use.refresh(scene),
            about=engines[0].title,
        )
    if not usable and not scene.specs.unreadable and not cdi_use.unseen(scene) and not cdi_use.refresh_unit(scene.eyes):
        yield Found(
            cause=f"{engines[0].title} is asked for GPUs by CDI names, and no spec of nvidia.com/gpu was ever written",
            evidence=tuple(Evidence(subject=folder, field="specs", value="none") for folder in SPEC_FOLDERS),
            remedy=cdi_use.refresh(scene, "write the spec"),
            about=engines[0].title,
        )
    yield from _closed(scene, usable)


def _is_another_rules(file: SpecFile) -> bool:
    """Too new for its own version, or with a device that adds nothing: those are failures of their own."""
    first = file.problems[0]
    return first.where[-1:] == ("cdiVersion",) or (first.where[-1:] == ("containerEdits",) and "empty" in first.reason)


def _closed(scene: Scene, usable: list[SpecFile]) -> Iterator[Found]:
    """A spec that only root may read is none for the engines of others."""
    rootless = any(engine.rootless for engine in scene.engines) or bool(scene.engines_of("podman"))
    for file in usable if rootless else ():
        status = scene.eyes.follow(file.path)
        if status and not status.mode & 0o004:
            yield Found(
                cause=f"{file.path} may be read by root alone, so the engines of users find no device",
                evidence=(Evidence(subject=file.path, field="mode", value=f"{status.mode:04o}"),),
                remedy=Remedy(text="let everybody read it", commands=(f"chmod 0644 {file.path}",)),
            )


RULE = Rule(id="D-CDI-1", link="bridge", severity="error", look=_look)
