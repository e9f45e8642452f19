"""An installed version of NVIDIA's toolkit has known holes by which a container gets out."""

from collections.abc import Iterator

from linkspan.check.cuda import older
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import upgrade
from linkspan.check.scene import TOOLKIT_CONFIG, Scene

_PACKAGES = (
    *("nvidia-container-toolkit", "nvidia-container-toolkit-base"),
    *("libnvidia-container1", "libnvidia-container-tools"),
)
_FIXED_IN = {
    "1.16.2": ("CVE-2024-0132", "CVE-2024-0133"),
    "1.17.1": ("CVE-2024-0135", "CVE-2024-0136", "CVE-2024-0137"),
    "1.17.4": ("CVE-2025-23359",),
    "1.17.8": ("CVE-2025-23266",),
}
"""By the release notes of the toolkit and NVIDIA's bulletins."""
_BY_COMPAT_HOOK = "CVE-2025-23266"
"""It needs the hook for compatibility libraries, which a setting takes out."""


def _look(scene: Scene) -> Iterator[Found]:
    installed = {name: _number(scene.packages[name]) for name in _PACKAGES if name in scene.packages}
    found = {name: holes for name, version in installed.items() if (holes := _holes(scene, version))}
    if found:
        worst = max(found, key=lambda name: len(found[name]))
        yield Found(
            cause=f"{worst} {scene.packages[worst]} has {', '.join(found[worst])}, by which a container can reach the "
            "host",
            evidence=tuple(
                Evidence(subject=name, field="installed version", value=scene.packages[name]) for name in found
            ),
            remedy=Remedy(
                text=f"update to {list(_FIXED_IN)[-1]} or newer; where linkspan took its place, remove it",
                commands=upgrade(scene, found),
            ),
            about=worst,
        )


def _number(version: str) -> str:
    return version.partition("-")[0].partition("~")[0].partition("+")[0]


def _holes(scene: Scene, version: str) -> list[str]:
    holes = [hole for fixed, found in _FIXED_IN.items() if older(version, fixed) for hole in found]
    switched_off = scene.toolkit.features.disable_cuda_compat_lib_hook and scene.eyes.exists(TOOLKIT_CONFIG)
    return [hole for hole in holes if not (switched_off and hole == _BY_COMPAT_HOOK)]


RULE = Rule(id="D-SECURITY-1", link="bridge", severity="critical", look=_look, horizon="insecure")
