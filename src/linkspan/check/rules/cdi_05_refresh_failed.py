"""A unit is to keep the spec true, and there is no spec: it failed, and nobody was told."""

from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.model import Evidence, Found, Remedy, Severity
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.store.registry import SPEC_FOLDERS


def _look(scene: Scene) -> Iterator[Found]:
    unit = cdi_use.refresh_unit(scene.eyes)
    written = any(cdi_use.is_nvidias(scene.eyes, file) for file in scene.specs.files)
    if not unit or not cdi_use.is_wanted(scene) or written or cdi_use.unseen(scene):
        return
    name = unit.rpartition("/")[2].partition(".")[0]
    refresh = cdi_use.refresh(scene)
    again = (f"systemctl reset-failed {name}.service", f"systemctl start {name}.service")
    yield Found(
        cause=f"{name}.service is switched on, the driver is there, and it has left no spec",
        evidence=(
            Evidence(subject=unit, field="enabled", value=scene.eyes.link(unit) or ""),
            *(Evidence(subject=folder, field="specs", value="none") for folder in SPEC_FOLDERS),
        ),
        remedy=Remedy(
            text="start it again, and read what it says",
            commands=again if scene.has("systemctl") else refresh.commands,
            actions=refresh.actions,
        ),
        severity=_severity(scene),
    )


def _severity(scene: Scene) -> Severity:
    return "error" if cdi_use.by_name_only(scene) else "warning"


RULE = Rule(id="D-CDI-5", link="bridge", severity="error", look=_look)
