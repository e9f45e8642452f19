"""In a container with a user namespace the device nodes are not what they are on the host: nobody may write."""

from collections.abc import Iterator

from linkspan.check.identity import id_map, in_user_namespace
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import upgrade
from linkspan.check.scene import Scene

_NODE = "/dev/nvidiactl"
_OPEN = 0o6


def _look(scene: Scene) -> Iterator[Found]:
    host = scene.facts.device(_NODE)
    if host is None or host.mode & _OPEN != _OPEN:
        return
    for inside in scene.gpu_containers:
        one = inside.container
        found = one.root.status(_NODE)
        if found and found.kind == "char" and found.mode & _OPEN != _OPEN and in_user_namespace(scene, one.pid):
            first = id_map(scene, one.pid)[0]
            crun = scene.packages.get("crun", "")
            yield Found(
                cause=f"{_NODE} has mode {found.mode:04o} in a container with a user namespace, and {host.mode:04o} on "
                "the host",
                evidence=(
                    Evidence(subject=f"/proc/{one.pid}/root{_NODE}", field="mode", value=f"{found.mode:04o}"),
                    Evidence(subject=f"/proc/{one.pid}/uid_map", value=" ".join(map(str, first))),
                    *((Evidence(subject="package crun", field="version", value=crun),) if crun else ()),
                ),
                remedy=Remedy(
                    text="take a newer crun, which leaves the mode alone; until then start without --userns",
                    commands=upgrade(scene, ["crun"]) if crun else (),
                ),
                about=one.name,
            )


RULE = Rule(id="D-PERM-4", link="injection", severity="error", look=_look)
