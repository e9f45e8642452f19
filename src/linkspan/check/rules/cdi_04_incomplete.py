"""A spec that was made before the driver was all there: parts that the host has are not in it."""

import posixpath
from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.model import Evidence, Found, Severity
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.check.specs import edits
from linkspan.store.spec_file import SpecFile

_NODES = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-modeset")
_LIBRARIES = ("libcuda.so.", "libnvidia-ml.so.", "libEGL_nvidia.so.", "libGLX_nvidia.so.")
_ESSENTIAL = ("/dev/nvidiactl", "/dev/nvidia-uvm", "libcuda.so.", "libnvidia-ml.so.")
"""What no CUDA program can do without; the others are graphics."""


def _look(scene: Scene) -> Iterator[Found]:
    files = cdi_use.in_use(scene.specs)
    if not files or not scene.has_driver or scene.facts.platform != "nvml":
        return
    has = {name for file in files for name in _names(file)}
    missing = [part for part in _on_host(scene) if part not in has]
    if missing:
        yield Found(
            cause=f"{files[0].path} lacks {', '.join(part.rstrip('.') for part in missing)}, which this host has",
            evidence=tuple(Evidence(subject=files[0].path, field="lacks", value=part.rstrip(".")) for part in missing),
            remedy=cdi_use.refresh(scene, "have it made anew, now that the driver is all there", files[0].path),
            severity=_severity(missing),
        )


def _names(file: SpecFile) -> Iterator[str]:
    for one in edits(file):
        yield from (str(node.get("path")) for node in one.get("deviceNodes") or ())
        for mount in one.get("mounts") or ():
            name = posixpath.basename(str(mount.get("containerPath")))
            yield from (part for part in _LIBRARIES if name.startswith(part))


def _on_host(scene: Scene) -> list[str]:
    nodes = [path for path in _NODES if scene.facts.device(path)]
    wide = [library.name for library in scene.facts.libraries if library.bits == 64]
    return nodes + [part for part in _LIBRARIES if any(name.startswith(part) for name in wide)]


def _severity(missing: list[str]) -> Severity:
    return "error" if any(part in _ESSENTIAL for part in missing) else "warning"


RULE = Rule(id="D-CDI-4", link="bridge", severity="error", look=_look)
