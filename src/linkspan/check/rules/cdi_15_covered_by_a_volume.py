"""A volume of the user's that covers the place of a link which the driver needs, such as ``-v /nix:/nix``."""

from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.docker_state import Record
from linkspan.check.failed_starts import failed, kept
from linkspan.check.model import Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_SAYS = r"failed to create link (?P<link>[^\s:]+).{0,200}failed to remove existing file"


def _look(scene: Scene) -> Iterator[Found]:
    for record, match in failed(scene, _SAYS):
        if _made_anew_since(scene, record):
            continue
        yield Found(
            cause=f"the place of the driver's link {match['link']} is in a volume, and cannot be changed",
            evidence=(kept(record),),
            remedy=Remedy(
                text="mount less of that folder, or use a spec of linkspan's, which leaves a link that is right",
                commands=("linkspan cdi refresh",) if scene.has("linkspan") else (),
            ),
            about=record.title,
        )


def _made_anew_since(scene: Scene, record: Record) -> bool:
    """Docker keeps the error until the container starts, and with another spec it may."""
    found = (scene.eyes.follow(file.path) for file in cdi_use.in_use(scene.specs))
    return any(status.mtime_ns / 1e9 > record.changed for status in found if status)


RULE = Rule(id="D-CDI-15", link="injection", severity="error", look=_look)
