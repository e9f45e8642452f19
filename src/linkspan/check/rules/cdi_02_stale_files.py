"""A spec that mounts files which are gone, mostly since the driver was updated."""

from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.model import Evidence, Found
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.check.specs import edits
from linkspan.store.spec_file import SpecFile

SHOWN = 4


def _look(scene: Scene) -> Iterator[Found]:
    for file in cdi_use.in_use(scene.specs) if scene.has_driver and scene.facts.platform == "nvml" else ():
        missing = sorted({path for path in _paths(file) if not scene.eyes.exists(path)})
        if missing:
            yield Found(
                cause=f"{file.path} has {len(missing)} files that are gone, so no container starts with it",
                evidence=(
                    *(
                        Evidence(subject=file.path, field="hostPath", value=f"{path}: not there")
                        for path in missing[:SHOWN]
                    ),
                    Evidence(subject="driver", field="version", value=scene.facts.driver.version),
                ),
                remedy=cdi_use.refresh(scene, path=file.path),
            )


def _paths(file: SpecFile) -> Iterator[str]:
    for one in edits(file):
        yield from (str(mount.get("hostPath")) for mount in one.get("mounts") or () if mount.get("hostPath"))
        nodes = (str(node.get("hostPath") or node.get("path")) for node in one.get("deviceNodes") or ())
        yield from (path for path in nodes if not path.startswith("/dev/dri/"))


RULE = Rule(id="D-CDI-2", link="bridge", severity="error", look=_look)
