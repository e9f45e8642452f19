"""Empty files with the names of driver files: what is left of mounts after ``docker commit`` or a build with GPUs."""

from collections.abc import Iterator

from linkspan.check.pieces import part_by_name
from linkspan.image import driver
from linkspan.image.layers import each_layer
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_FIX = (
    "build the image from a Dockerfile, without NVIDIA's runtime as the builder's default, "
    "instead of committing a container that had a GPU"
)


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = filter(_is_left, image.entries.values())
    yield from each_layer(found, "empty files are left where a container had the driver: {names}", _FIX)


def _is_left(entry: Entry) -> bool:
    # NVIDIA's base images for Jetson have such files on purpose.
    empty = entry.kind == "file" and entry.size == 0 and "/tegra" not in entry.path
    if not empty or "/dist-packages/" in entry.path or "/site-packages/" in entry.path:
        return False
    return (
        driver.is_driver_path(entry.path) or driver.is_mounted(entry.path) or part_by_name(entry.path) == "nvidia-smi"
    )


RULE = Rule(
    id="I-BOUNDARY-2",
    title="empty files of an earlier container's driver",
    area="boundary",
    severity="error",
    why="A later start fails over them, since it wants to make the same files, or a program loads an empty library.",
    look=_look,
)
