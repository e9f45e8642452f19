"""A CDI spec mounts a file and makes a link at the same path: the second one fails."""

import re
from collections.abc import Iterator
from typing import Any

from linkspan.check.model import Evidence, Found, Remedy, RunProgram
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.check.specs import edits
from linkspan.store.spec_file import SpecFile

_BUSY = re.compile(r"failed to create link[^\n]*?nvidia_icd\.json[^\n]*?device or resource busy", re.IGNORECASE)
_REFRESH = ("linkspan", "cdi", "refresh")


def _look(scene: Scene) -> Iterator[Found]:
    for file in scene.specs.of_kind():
        both = sorted(_mounts(file) & _links(file))
        if both:
            yield Found(
                cause=f"{file.path} mounts {both[0]} and makes a link there, too, so the hook that makes it fails",
                evidence=(
                    Evidence(subject=file.path, field="mounts.containerPath", value=both[0]),
                    Evidence(subject=file.path, field="hooks.args, create-symlinks --link", value=both[0]),
                    *_refused(scene),
                ),
                remedy=_remedy(scene),
                about=file.path,
            )


def _remedy(scene: Scene) -> Remedy:
    own = scene.has("linkspan")
    return Remedy(
        text="make the spec anew with a generator that mounts a path or links it, not both",
        commands=(" ".join(_REFRESH),) if own else (),
        actions=(RunProgram(argv=_REFRESH),) if own else (),
    )


def _refused(scene: Scene) -> tuple[Evidence, ...]:
    found = ((one, _BUSY.search(one.error)) for one in scene.docker_records)
    return tuple(Evidence(subject=one.path, field="State.Error", value=text[0][:300]) for one, text in found if text)[
        :1
    ]


def _mounts(file: SpecFile) -> set[str]:
    return {str(mount.get("containerPath")) for edit in edits(file) for mount in _list(edit, "mounts")}


def _links(file: SpecFile) -> set[str]:
    found = set()
    for edit in edits(file):
        for hook in _list(edit, "hooks"):
            words = [str(word) for word in hook.get("args") or ()]
            if "create-symlinks" in words:
                found |= {word.partition("::")[2] for word in words if "::" in word}
    return found


def _list(edit: Any, key: str) -> list[Any]:
    listed = edit.get(key) if isinstance(edit, dict) else None
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


RULE = Rule(id="D-GRAPHICS-2", link="bridge", severity="error", look=_look)
