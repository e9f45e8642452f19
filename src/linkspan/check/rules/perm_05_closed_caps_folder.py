"""The folder of MIG's nodes was made so in the container that its user may not enter it."""

from collections.abc import Iterator

from linkspan.check.identity import identity, permission
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import upgrade
from linkspan.check.scene import Scene
from linkspan.facts.nodes import CAPS

_ENTER = 0o5


def _look(scene: Scene) -> Iterator[Found]:
    if not scene.eyes.exists(CAPS):
        return
    for inside in scene.gpu_containers:
        one = inside.container
        folder, who = one.root.status(CAPS), identity(scene, one.pid)
        if folder and folder.kind == "folder" and permission(folder, who) & _ENTER != _ENTER:
            yield Found(
                cause=f"{CAPS} has mode {folder.mode:04o} in the container, so user {who.uid} cannot open a MIG device",
                evidence=(
                    Evidence(subject=f"/proc/{one.pid}/root{CAPS}", field="mode", value=f"{folder.mode:04o}"),
                    Evidence(subject=f"/proc/{one.pid}/status", field="Uid", value=str(who.uid)),
                ),
                remedy=Remedy(
                    text="take a newer crun, or start the container with runc, then make it anew",
                    commands=upgrade(scene, ["crun"]) if "crun" in scene.packages else (),
                ),
                about=one.name,
            )


RULE = Rule(id="D-PERM-5", link="injection", severity="error", look=_look)
