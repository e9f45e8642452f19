"""A start was refused since the variable comes with the image, and only a privileged container may use it."""

import re
from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy, Severity
from linkspan.check.registry import Rule
from linkspan.check.scene import TOOLKIT_CONFIG, Scene

_VARIABLE = "NVIDIA_VISIBLE_DEVICES"
_TEXT = f"insufficient privileges to read device list from {_VARIABLE} envvar"
_LOGGED = re.compile(_TEXT)
_SETTING = "accept-nvidia-visible-devices-envvar-when-unprivileged"


def _look(scene: Scene) -> Iterator[Found]:
    if scene.toolkit.accept_nvidia_visible_devices_envvar_when_unprivileged:
        return
    for record in scene.docker_records:
        if _TEXT in record.error:
            asked = record.env.get(_VARIABLE, "")
            yield _found(Evidence(subject=record.path, field=f"Config.Env {_VARIABLE}", value=asked), record.title)
            return
    logged = scene.logged(_LOGGED)
    if logged:  # it may have been some time ago
        yield _found(Evidence(subject=logged[0], field="kubelet", value=_TEXT), "pods", severity="warning")


def _found(evidence: Evidence, about: str, *, severity: Severity | None = None) -> Found:
    return Found(
        cause=f"{_VARIABLE} asks for GPUs, mostly by the image's default, and only privileged containers may use it",
        evidence=(evidence, Evidence(subject=TOOLKIT_CONFIG, field=_SETTING, value="false")),
        remedy=Remedy(
            text=f"set {_VARIABLE}=void for containers that need no GPU; for those that do, ask Kubernetes for "
            "nvidia.com/gpu, or Docker by --device nvidia.com/gpu=all"
        ),
        about=about,
        severity=severity,
    )


RULE = Rule(id="D-K8S-11", link="request", severity="error", look=_look)
