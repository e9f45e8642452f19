"""A host without a loader cache, by which NVIDIA's hook finds the driver's libraries, and by nothing else."""

from collections.abc import Iterator

from linkspan.check import bridge, ldconfig
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_PATCHED = "nixos"
"""Its packages of the toolkit look for the driver elsewhere, since it never has that cache."""


def _look(scene: Scene) -> Iterator[Found]:
    engines = bridge.nvidias(scene, "docker")
    settings = scene.toolkit.nvidia_container_cli
    place = settings.ldcache or ldconfig.CACHE
    root = settings.root.rstrip("/")
    files = scene.eyes.below(root) if root else scene.eyes
    if engines and scene.facts.platform == "nvml" and not files.exists(place) and scene.os.get("ID") != _PATCHED:
        can = any(scene.eyes.exists(place) for place in ldconfig.PLACES)
        yield Found(
            cause=f"NVIDIA's hook finds the driver by {root}{place} alone, which this host does not have",
            evidence=(Evidence(subject=root + place, value="not there"),),
            remedy=Remedy(
                text="write it, or let linkspan be the bridge, which looks into the folders themselves",
                commands=("ldconfig",) if can and root + place == ldconfig.CACHE else (),
            ),
            about=engines[0].title,
        )


RULE = Rule(id="D-LDCACHE-4", link="loader-cache", severity="error", look=_look)
