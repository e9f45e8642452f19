"""A container that did not start, since the ldconfig that NVIDIA's toolkit ran for it failed."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.failed_starts import failed, kept
from linkspan.check.model import Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_SAYS = (
    r"ldcache error: process (?P<program>\S+) "
    r"(?:failed with error code: (?P<code>\d+)|terminated with signal (?P<signal>\d+))"
)
_CODES = {
    "1": "it did not like a file or link of the image's",
    "127": "there is no such program",
}
_SIGNALS = {
    "9": "it was killed, as by a small limit of memory",
    "31": "a system call of it was refused (SIGSYS)",
}


def _look(scene: Scene) -> Iterator[Found]:
    # An error that is kept from a bridge of before says nothing of the one of today.
    for record, match in failed(scene, _SAYS) if bridge.nvidias(scene, "docker") else ():
        why = _CODES.get(match["code"] or "") or _SIGNALS.get(match["signal"] or "") or "it failed"
        yield Found(
            cause=f"{match['program']}, run by NVIDIA's toolkit in the container, failed: {why}",
            evidence=(kept(record),),
            remedy=Remedy(
                text="let linkspan be the bridge, which writes the loader cache itself",
                commands=("linkspan install --replace", "systemctl restart docker") if scene.has("linkspan") else (),
            ),
            about=record.title,
        )


RULE = Rule(id="D-LDCACHE-2", link="injection", severity="error", look=_look)
