"""Two spec files that define the same device: engines use neither, or the other one than its owner thinks."""

import posixpath
from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    told: set[tuple[str, ...]] = set()
    for name, found in sorted(scene.specs.devices.items()):
        paths = tuple(file.path for file, _ in found)
        if len(paths) < 2 or paths in told or not _is_nvidias(name) or _is_one_file(scene, paths):
            continue
        told.add(paths)
        same = len({posixpath.dirname(path) for path in paths}) == 1
        yield Found(
            cause=_cause(name, paths, same=same),
            evidence=tuple(Evidence(subject=path, field="device", value=name) for path in paths),
            remedy=Remedy(
                text=f"take the older file away: {_older(scene, paths)}", commands=(f"rm {_older(scene, paths)}",)
            ),
            severity="error" if same else "warning",
        )


def _is_nvidias(name: str) -> bool:
    return name.partition("/")[0].endswith("nvidia.com")


def _is_one_file(scene: Scene, paths: tuple[str, ...]) -> bool:
    """The same file in folders of different weight, by a link: whichever wins, nothing is stale."""
    folders = {posixpath.dirname(path) for path in paths}
    return len(folders) == len(paths) and len({scene.eyes.real(path) for path in paths}) == 1


def _cause(name: str, paths: tuple[str, ...], *, same: bool) -> str:
    both = " and ".join(paths)
    if same:
        return f"{name} is defined by {both}, which count the same, so engines use neither"
    return f"{name} is defined by {both}, and engines use the last of them"


def _older(scene: Scene, paths: tuple[str, ...]) -> str:
    times = {path: status.mtime_ns for path in paths if (status := scene.eyes.follow(path))}
    return min(paths, key=lambda path: (times.get(path, 0), path != paths[0]))


RULE = Rule(id="D-CDI-6", link="bridge", severity="error", look=_look)
