"""The loader cache names libraries of a driver that is gone."""

from collections.abc import Iterator

from linkspan.check import bridge, ldconfig
from linkspan.check.model import Evidence, Found, Remedy, RunProgram, Severity
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    gone = sorted({path for path in ldconfig.cached(scene.eyes) if not scene.eyes.exists(path)})
    if gone and scene.has_driver:
        can = scene.has("ldconfig")
        yield Found(
            cause=f"{ldconfig.CACHE} names {len(gone)} files of a driver that are not there any more",
            evidence=tuple(Evidence(subject=ldconfig.CACHE, field="names", value=path) for path in gone[:4]),
            remedy=Remedy(
                text="write the cache anew, and take away what is left of the older driver",
                commands=("ldconfig",) if can else (),
                actions=(RunProgram(argv=("ldconfig",)),) if can else (),
            ),
            severity=_severity(scene),
        )


def _severity(scene: Scene) -> Severity:
    """NVIDIA's hook stops at such a name; linkspan passes it over."""
    return "error" if bridge.nvidias(scene, "docker", "podman", "containerd", "crio") else "warning"


RULE = Rule(id="D-LDCACHE-5", link="loader-cache", severity="error", look=_look)
