"""A library of the driver in the image: it belongs to the host, and must have the version of its kernel module."""

from collections.abc import Iterator

from linkspan.check.inside import is_driver_name
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_APART = ("/stubs/", "/compat/")
"""Folders of what is no driver: libraries to link with, and CUDA's compatibility package."""


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = [entry for entry in image.entries.values() if _is_driver(entry)]
    by_layer: dict[int, list[Entry]] = {}
    for entry in found:
        by_layer.setdefault(entry.layer, []).append(entry)
    for layer, entries in sorted(by_layer.items()):
        names = ", ".join(sorted(entry.name for entry in entries)[:3])
        yield Broken(
            cause=f"{len(entries)} libraries of the driver are in the image, such as {names}",
            fix="do not install the driver in the image; it comes from the host when the container starts",
            paths=tuple(sorted(entry.path for entry in entries)),
            layer=layer,
            bytes=sum(entry.size for entry in entries),
        )


def _is_driver(entry: Entry) -> bool:
    apart = any(part in entry.path for part in _APART)
    return entry.kind == "file" and entry.size > 0 and not apart and is_driver_name(entry.name)


RULE = Rule(
    id="I-BOUNDARY-1",
    title="the image holds libraries of the driver",
    area="boundary",
    severity="error",
    why="They only work with the kernel module of their own version, and the host brings its own: one of the two wins.",
    look=_look,
)
