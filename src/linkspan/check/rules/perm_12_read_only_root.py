"""NVIDIA's hook makes files in the container's root, which is read-only, or not where the hook looks."""

from collections.abc import Iterator

from linkspan.check.failed_starts import failed, kept
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_READ_ONLY = r"file creation failed: (\S+): read-only file system"
_UNSEEN = r"open failed: (\S+/merged): no such file"


def _look(scene: Scene) -> Iterator[Found]:
    for record, match in failed(scene, f"{_READ_ONLY}|{_UNSEEN}"):
        place = match[1] or match[2]
        why = f"NVIDIA's hook cannot make {place}: that file system is read-only" if match[1] else (
            f"NVIDIA's hook does not see the container's root {place} from its own mount namespace"
        )  # fmt: skip
        read_only = (Evidence(subject=record.path, field="ReadonlyRootfs", value="true"),) if record.read_only else ()
        yield Found(
            cause=why,
            evidence=(kept(record), *read_only),
            remedy=Remedy(
                text="start it by CDI, where the runtime makes the files before the root is closed: "
                "docker run --device nvidia.com/gpu=all"
            ),
            about=record.title,
        )


RULE = Rule(id="D-PERM-12", link="injection", severity="error", look=_look)
