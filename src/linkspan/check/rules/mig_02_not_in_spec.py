"""MIG devices were made after the CDI spec, which does not have them."""

from collections.abc import Iterator

from linkspan.check.mig import instances
from linkspan.check.model import Evidence, Found, Remedy, RunProgram
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.check.specs import edits
from linkspan.facts.nodes import CAPS


def _look(scene: Scene) -> Iterator[Found]:
    made = [one for one in instances(scene) if one.compute]
    files = scene.specs.of_kind()
    if not made or not files:
        return
    paths = {str(node.get("path")) for file in files for edit in edits(file) for node in edit.get("deviceNodes") or ()}
    lacking = [one for one in made if one.node not in paths]
    gone = {path for path in paths if path.startswith(f"{CAPS}/")} - {one.node for one in instances(scene)}
    if lacking and scene.eyes.exists(lacking[0].node):
        command = ("linkspan", "cdi", "refresh")
        yield Found(
            cause=f"{len(lacking)} MIG devices of this host are not in its CDI spec, {lacking[0].name} for one",
            evidence=(
                Evidence(subject=lacking[0].path, field="DeviceFileMinor", value=str(lacking[0].minor)),
                Evidence(subject=files[-1].path, field=lacking[0].node, value="not in it"),
                *(Evidence(subject=files[-1].path, field="gone since", value=path) for path in sorted(gone)[:2]),
            ),
            remedy=Remedy(
                text="make the spec anew, then start the containers anew that are to have them",
                commands=(" ".join(command),) if scene.has("linkspan") else (),
                actions=(RunProgram(argv=command),) if scene.has("linkspan") else (),
            ),
        )


RULE = Rule(id="D-MIG-2", link="bridge", severity="error", look=_look)
