"""A spec with a device that adds nothing to a container: its maker found the GPU, and not its node."""

from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.model import Evidence, Found
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    for file in cdi_use.unreadable(scene):
        empty = [one for one in file.problems if one.where[-1:] == ("containerEdits",) and "empty" in one.reason]
        if empty:
            yield Found(
                cause=f"{file.path} has a device without any edit, so engines leave the whole file out",
                evidence=tuple(
                    Evidence(subject=f"{file.path}:{one.line}", field=one.address, value=one.reason)
                    for one in empty[:4]
                ),
                remedy=cdi_use.refresh(scene, "have it made anew, where the device nodes can be seen", file.path),
            )


RULE = Rule(id="D-CDI-12", link="bridge", severity="error", look=_look)
