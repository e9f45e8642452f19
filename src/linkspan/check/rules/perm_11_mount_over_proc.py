"""A mount that the user asked for covers what the hook needs of the container's /proc or cgroups."""

from collections.abc import Iterator

from linkspan.check.docker_state import Record
from linkspan.check.failed_starts import failed, kept
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_ERROR = r"mount operation failed: \S*/proc/driver/nvidia\S*: permission denied"
_NEEDED = ("/sys/fs/cgroup", "/sys", "/proc", "/dev")


def _look(scene: Scene) -> Iterator[Found]:
    for record, _ in failed(scene, _ERROR):
        place = _covering(record)
        if place:
            yield Found(
                cause=f"the mount of {record.mounts[place]} on {place} hides what NVIDIA's hook needs",
                evidence=(
                    kept(record),
                    Evidence(subject=record.path, field="MountPoints", value=f"{record.mounts[place]} on {place}"),
                ),
                remedy=Remedy(text=f"make the container anew without that mount (-v …:{place})"),
                about=record.title,
            )


def _covering(record: Record) -> str:
    return next((place for place in record.mounts if place.rstrip("/").startswith(_NEEDED)), "")


RULE = Rule(id="D-PERM-11", link="request", severity="error", look=_look)
