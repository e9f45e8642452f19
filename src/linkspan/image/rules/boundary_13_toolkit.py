"""The container toolkit inside an image: it works on the host, before the container is there."""

import re
from collections.abc import Iterator

from linkspan.image.layers import called, each_layer, listed
from linkspan.image.model import Entry, Image
from linkspan.image.packages import first_layer, named
from linkspan.image.registry import Broken, Rule, Target

_PROGRAM = re.compile(
    r"nvidia-(ctk|cdi-hook|container-(cli|runtime.*|toolkit))|linkspan-(runtime|hook)|libnvidia-container.*\.so.*"
)
_PACKAGE = re.compile(r"nvidia-container-(toolkit|runtime).*|nvidia-docker2?|libnvidia-container.*|linkspan")
_FIX = "install it on the host; in an image it is only of use where that image starts containers itself"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = [entry for entry in called(image, _PROGRAM) if _is_program(entry)]
    yield from each_layer(found, "files of the container toolkit are in the image: {names}", _FIX)
    packages = named(image, _PACKAGE)
    if packages and not found:
        words = listed(package.name for package in packages)
        paths = tuple(package.path for package in packages if package.path)
        cause = f"the container toolkit is installed in the image: {words}"
        yield Broken(cause=cause, fix=_FIX, paths=paths[:1], layer=first_layer(packages))


def _is_program(entry: Entry) -> bool:
    runs = bool(entry.mode & 0o111) or ".so" in entry.name
    return entry.kind == "file" and entry.size > 0 and runs


RULE = Rule(
    id="I-BOUNDARY-13",
    title="the container toolkit is in the image",
    area="boundary",
    severity="warning",
    why="It gives containers their GPU from outside; inside one it does nothing, and people look there for faults.",
    look=_look,
)
