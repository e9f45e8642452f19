"""The image carries libraries of a driver, so the host's cannot be put in their place."""

import re
from collections.abc import Iterator

from linkspan.check.cuda import older
from linkspan.check.docker_state import in_container
from linkspan.check.inside import Inside, is_driver_name
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_REFUSED = re.compile(r"file creation failed: (\S+?): file exists")
_PROGRAMS = (
    "nvidia-smi",
    "nvidia-debugdump",
    "nvidia-persistenced",
    "nvidia-cuda-mps-control",
    "nvidia-cuda-mps-server",
)
_REMEDY = Remedy(
    text="remove the driver's packages and files in the build step that brought them, and install cuda-toolkit-X-Y, "
    "not cuda or a driver package; the driver comes from the host"
)


def _look(scene: Scene) -> Iterator[Found]:
    for record in scene.docker_records:
        refused = _REFUSED.search(record.error)
        path = in_container(refused[1]) if refused else ""
        if refused and _is_of_a_driver(path.rpartition("/")[2]):
            yield Found(
                cause=f"the image has a {path} of its own, so the host's could not be put in its place",
                evidence=(Evidence(subject=record.path, field="State.Error", value=refused[0]),),
                remedy=_REMEDY,
                about=record.title,
            )
    for inside in scene.gpu_containers:
        yield from _running(scene, inside)


def _is_of_a_driver(name: str) -> bool:
    return is_driver_name(name) or name in _PROGRAMS


def _running(scene: Scene, inside: Inside) -> Iterator[Found]:
    """An older driver in the image does no harm while the loader prefers the host's: until the order changes."""
    old = [one for one in inside.baked if one.kind == "file" and one.size and older(one.version, scene.loaded_driver)]
    taken = inside.resolve("libcuda.so.1") if old else None
    if taken and taken.version == scene.loaded_driver:
        yield Found(
            cause=f"the image carries {len(old)} libraries of driver {old[0].version}, beside the host's "
            f"{scene.loaded_driver}",
            evidence=tuple(
                Evidence(subject=f"/proc/{inside.container.pid}/root{one.path}", field="size", value=str(one.size))
                for one in old[:3]
            ),
            remedy=_REMEDY,
            about=inside.container.name,
            severity="warning",
            horizon="later",
        )


RULE = Rule(id="D-IMAGE-1", link="image", severity="error", look=_look)
