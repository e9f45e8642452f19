"""A fabric manager was installed where there is no NVSwitch: it says so, and fails, and that harms nothing."""

from collections.abc import Iterator

from linkspan.check.kernel_messages import newest
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.rules.driver_09_fabric_manager import UNIT, fabric_manager
from linkspan.check.scene import Scene

_LOG = "/var/log/fabricmanager.log"
_SAYS = "NV_WARN_NOTHING_TO_DO"
_TAIL = 1 << 16


def _look(scene: Scene) -> Iterator[Found]:
    package, version = fabric_manager(scene)
    if not package or any(device.is_switch for device in scene.pci) or not scene.gpus_by_pci:
        return
    told = newest(scene, _SAYS) or _own_log(scene)
    if told:
        yield Found(
            cause="the fabric manager is installed, and this host has no NVSwitch for it: it ends with a warning, "
            "which harms nothing",
            evidence=(told, Evidence(subject=f"package {package}", field="version", value=version)),
            remedy=Remedy(
                text="leave it, or switch it off",
                commands=(f"systemctl disable --now {UNIT}",) if scene.has("systemctl") else (),
            ),
        )


def _own_log(scene: Scene) -> Evidence | None:
    size = scene.eyes.size(_LOG)
    data = scene.eyes.read(_LOG, max(0, size - _TAIL), _TAIL) or b""
    lines = [line for line in data.decode("utf-8", "replace").splitlines() if _SAYS in line]
    return Evidence(subject=_LOG, field="last such line", value=lines[-1].strip()[:300]) if lines else None


RULE = Rule(id="D-DRIVER-10", link="module", severity="info", look=_look)
