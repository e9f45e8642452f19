"""A spec that names DRM nodes by numbers which the last boot has given anew."""

from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.model import Evidence, Found
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.check.specs import edits


def _look(scene: Scene) -> Iterator[Found]:
    for file in cdi_use.in_use(scene.specs) if scene.has_driver else ():
        nodes = {
            str(node.get("hostPath") or node.get("path"))
            for one in edits(file)
            for node in one.get("deviceNodes") or ()
        }
        missing = sorted(path for path in nodes if path.startswith("/dev/dri/") and not scene.eyes.exists(path))
        if missing:
            there = ", ".join(name for name in scene.eyes.names("/dev/dri") if name.startswith(("card", "renderD")))
            yield Found(
                cause=f"{file.path} names {', '.join(missing[:4])}, {_why(there)}",
                evidence=(
                    *(
                        Evidence(subject=file.path, field="deviceNodes", value=f"{path}: not there")
                        for path in missing[:4]
                    ),
                    Evidence(subject="/dev/dri", field="nodes", value=there or "none"),
                ),
                remedy=cdi_use.refresh(scene, path=file.path),
            )


def _why(there: str) -> str:
    return "which this boot has numbered otherwise" if there else "and this host has no DRM node at all"


RULE = Rule(id="D-CDI-3", link="bridge", severity="error", look=_look)
