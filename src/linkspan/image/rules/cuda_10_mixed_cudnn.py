"""Parts of cuDNN of different versions side by side in one folder."""

import re
from collections.abc import Iterator

from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_PART = re.compile(r"libcudnn\w*\.so\.(?P<version>\d+\.\d+[\d.]*)")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    folders: dict[str, dict[str, list[Entry]]] = {}
    for entry in image.entries.values():
        found = _PART.fullmatch(entry.name) if entry.kind == "file" else None
        if found:
            folders.setdefault(entry.folder, {}).setdefault(found["version"], []).append(entry)
    for folder, by_version in sorted(folders.items()):
        # Two whole sets of different major versions may stand together, they bear different names.
        majors = [version.partition(".")[0] for version in by_version]
        if len(set(majors)) < len(majors):
            yield Broken(
                cause=f"{folder} has cuDNN {' and '.join(sorted(by_version))}, each in part",
                fix="install one version whole, and remove libcudnn*.so* of the other in the layer that brought it",
                paths=tuple(entry.path for found in by_version.values() for entry in found),
            )


RULE = Rule(
    id="I-CUDA-10",
    title="cuDNN of two versions in one folder",
    area="cuda",
    severity="error",
    why="Its parts check each other's version, and end the program with CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH.",
    look=_look,
)
