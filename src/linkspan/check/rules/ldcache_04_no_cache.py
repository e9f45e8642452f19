"""A host without a loader cache, by which NVIDIA's hook finds the driver's libraries, and by nothing else."""

from collections.abc import Iterator

from linkspan.check import bridge, ldconfig
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    engines = bridge.nvidias(scene, "docker")
    if (
        engines
        and scene.facts.platform == "nvml"
        and not scene.eyes.exists(ldconfig.CACHE)
        and not ldconfig.cached(scene.eyes)
    ):
        can = any(scene.eyes.exists(place) for place in ldconfig.PLACES)
        yield Found(
            cause=f"NVIDIA's hook finds the driver by {ldconfig.CACHE} alone, which this host does not have",
            evidence=(Evidence(subject=ldconfig.CACHE, value="not there"),),
            remedy=Remedy(
                text="write it, or let linkspan be the bridge, which looks into the folders themselves",
                commands=("ldconfig",) if can else (),
            ),
            about=engines[0].title,
        )


RULE = Rule(id="D-LDCACHE-4", link="loader-cache", severity="error", look=_look)
