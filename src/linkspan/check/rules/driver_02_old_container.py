"""A container was made with files of the driver before, by their names, which are gone or do not fit any more."""

import re
from collections.abc import Iterator

from linkspan.check.docker_state import Record
from linkspan.check.inside import Inside, is_driver_name, version_of
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.driver import same_version

_VOLUME = re.compile(r"nvidia_driver_(\d+\.\d+(?:\.\d+)?)(?:/|$)")
"""How nvidia-docker 1 called the volume of a driver."""


def _look(scene: Scene) -> Iterator[Found]:
    if not scene.loaded_driver:
        return
    for record in scene.docker_records:
        yield from _kept(scene, record)
    for inside in scene.gpu_containers:
        yield from _running(scene, inside)


def _kept(scene: Scene, record: Record) -> Iterator[Found]:
    old = {
        source: version
        for place, source in record.mounts.items()
        if (version := _version(source) or _version(place)) and not same_version(version, scene.loaded_driver)
    }
    if old:
        source, version = next(iter(old.items()))
        error = (Evidence(subject=record.path, field="State.Error", value=record.error[:300]),) if record.error else ()
        yield Found(
            cause=f"it was made with {len(old)} files of driver {version}, and the driver is {scene.loaded_driver} now",
            evidence=(Evidence(subject=record.path, field="MountPoints", value=source), *error),
            remedy=_anew(record.name.lstrip("/") or record.id[:12]),
            about=record.title,
        )


def _version(source: str) -> str:
    volume = _VOLUME.search(source)
    return volume[1] if volume else version_of(source) if is_driver_name(source.rpartition("/")[2]) else ""


def _running(scene: Scene, inside: Inside) -> Iterator[Found]:
    """Its own layer, not its image, has the library that its programs get."""
    root = inside.container.mount("/")
    upper = next((option[9:] for option in root.super_options if option.startswith("upperdir=")), "") if root else ""
    library = inside.resolve("libcuda.so.1") if upper else None
    if not library or inside.is_injected(library) or not library.version:
        return
    if not same_version(library.version, scene.loaded_driver) and scene.eyes.exists(upper + library.real):
        yield Found(
            cause=f"it keeps libcuda of driver {library.version}, and the driver is {scene.loaded_driver} now",
            evidence=(Evidence(subject=upper + library.real, field="version", value=library.version),),
            remedy=_anew(inside.container.id[:12]),
            about=inside.container.name,
        )


def _anew(name: str) -> Remedy:
    return Remedy(
        text="make the container anew from its image; a restart keeps its old files",
        commands=(f"docker rm -f {name}",),
    )


RULE = Rule(id="D-DRIVER-2", link="injection", severity="error", look=_look)
