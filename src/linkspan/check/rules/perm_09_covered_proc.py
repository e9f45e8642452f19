"""A mount over a file below /proc keeps programs in the container from giving sandboxes a /proc of their own.

The kernel refuses a new procfs in a user namespace that would show more than the one above (mount_too_revealing in
fs/namespace.c). Containers have such mounts anyway, unless their /proc was asked for unmasked.
"""

from collections.abc import Iterator

from linkspan.check.containers import Container
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

PARAMS = "/proc/driver/nvidia/params"
_SANDBOXES = ("/usr/bin/bwrap", "/usr/local/bin/bwrap", "/usr/bin/apptainer", "/usr/bin/flatpak", "/usr/bin/podman")


def _look(scene: Scene) -> Iterator[Found]:
    for inside in scene.gpu_containers:
        one = inside.container
        program = next((path for path in _SANDBOXES if one.root.exists(path)), "") if _is_alone(one) else ""
        if program:
            yield Found(
                cause=f"{PARAMS} is covered by a mount, so {program} in it cannot mount a /proc for its sandboxes",
                evidence=(
                    Evidence(subject=f"/proc/{one.pid}/mountinfo", field="mount", value=PARAMS),
                    Evidence(subject=f"/proc/{one.pid}/root{program}"),
                ),
                remedy=Remedy(
                    text="switch that one hook off: disabled-hooks = [\"disable-device-node-modification\"] in the CDI "
                    "spec's making, or 'linkspan cdi generate --disable-hook disable-device-node-modification'"
                ),
                about=one.name,
            )  # fmt: skip


def _is_alone(one: Container) -> bool:
    """True where that mount is the only one that hides a part of /proc."""
    hidden = [mount.path for mount in one.mounts if mount.path.startswith("/proc/")]
    return PARAMS in hidden and all(path.startswith("/proc/driver/nvidia") for path in hidden)


RULE = Rule(id="D-PERM-9", link="injection", severity="warning", look=_look)
