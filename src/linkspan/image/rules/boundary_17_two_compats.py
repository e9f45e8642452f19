"""Two compatibility packages in one folder: which of them is meant, nobody can tell, so none is used."""

import re
from collections.abc import Iterator

from linkspan.image import driver
from linkspan.image.layers import together
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_LIBCUDA = re.compile(r"libcuda\.so\.\d{3}\.[\d.]+")
_FIX = "keep one compatibility package: that of the CUDA version of the image (apt-get purge the other cuda-compat)"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    folders: dict[str, list[Entry]] = {}
    for entry in image.entries.values():
        if entry.kind == "file" and driver.is_compat(entry) and _LIBCUDA.fullmatch(entry.name):
            folders.setdefault(entry.folder, []).append(entry)
    for folder, found in sorted(folders.items()):
        if len(found) > 1:
            yield together(found, folder + " holds several drivers: {names}", _FIX)


RULE = Rule(
    id="I-BOUNDARY-17",
    title="two compatibility packages in one folder",
    area="boundary",
    severity="warning",
    why="The start looks for exactly one libcuda there; of two it takes neither, and CUDA stays as old as the driver.",
    look=_look,
)
