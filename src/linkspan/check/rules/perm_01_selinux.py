"""SELinux does not let containers use the device nodes of the GPUs."""

import re
from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import programs
from linkspan.check.scene import Scene
from linkspan.facts.host import HostReader

ENFORCE = "/sys/fs/selinux/enforce"
AUDIT = "/var/log/audit/audit.log"
_BOOLEANS = ("container_use_devices", "container_use_xserver_devices")
"""Of container-selinux (container.te): all devices, or those of the label that NVIDIA's nodes have."""
_TAIL = 2 << 20
_DENIED = re.compile(
    r"^type=AVC msg=audit\((?P<time>\d+)\.\d+:\d+\): avc:  denied  "
    r".*(?:/dev/nvidia|name=\"nvidia|xserver_misc_device_t)"
)


def _look(scene: Scene) -> Iterator[Found]:
    if scene.line(ENFORCE) != "1":
        return
    off = [name for name in _BOOLEANS if _is_off(scene, name)]
    none: list[str] = []
    denials = scene.eyes.derive("device denials", AUDIT, _denials, none)
    since = scene.processes.booted
    recent = [line for line in denials if (match := _DENIED.match(line)) and int(match["time"]) >= since]
    if recent and len(off) == sum(_exists(scene, name) for name in _BOOLEANS):
        yield Found(
            cause="SELinux denies containers the device nodes of the GPUs",
            evidence=(
                Evidence(subject=ENFORCE, value="1"),
                Evidence(subject=AUDIT, field="last denial", value=recent[-1][:400]),
                *(Evidence(subject=f"/sys/fs/selinux/booleans/{name}", value="off") for name in off),
            ),
            remedy=Remedy(
                text="allow containers the use of devices, or start this one with --security-opt label=disable",
                commands=programs(scene, f"setsebool -P {off[-1]} 1") if off else (),
            ),
            severity="warning" if _worked_since(scene, recent[-1]) else None,
        )


def _worked_since(scene: Scene, denial: str) -> bool:
    """True where a container with GPUs was started after the last denial, perhaps without a label."""
    match = _DENIED.match(denial)
    return any(match and one.container.process.started > int(match["time"]) for one in scene.gpu_containers)


def _exists(scene: Scene, name: str) -> bool:
    return scene.eyes.exists(f"/sys/fs/selinux/booleans/{name}")


def _is_off(scene: Scene, name: str) -> bool:
    """The file has the current value and the one that waits to be committed."""
    return scene.line(f"/sys/fs/selinux/booleans/{name}").startswith("0")


def _denials(host: HostReader, path: str) -> list[str]:
    data = host.read(path, max(0, host.size(path) - _TAIL), _TAIL) or b""
    lines = (line for line in data.decode("utf-8", "replace").splitlines() if "container_" in line)
    return [line[:1000] for line in lines if _DENIED.match(line) and "permissive=1" not in line][-20:]


RULE = Rule(id="D-PERM-1", link="injection", severity="error", look=_look)
