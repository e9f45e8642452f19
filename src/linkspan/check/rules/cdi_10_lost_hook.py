"""A spec whose hook is not where it says: the container would start, and its runtime fails at the hook."""

from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.model import Evidence, Found
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.check.specs import edits


def _look(scene: Scene) -> Iterator[Found]:
    for file in cdi_use.in_use(scene.specs):
        paths = {str(hook.get("path", "")) for one in edits(file) for hook in one.get("hooks") or ()}
        for path in sorted(paths):
            reason = _reason(scene, path)
            if reason:
                yield Found(
                    cause=f"the hook {path} of {file.path} {reason}",
                    evidence=(Evidence(subject=file.path, field="hooks.path", value=f"{path}: {reason}"),),
                    remedy=cdi_use.refresh(scene, "put the hook's program back, or have the spec made anew", file.path),
                )


def _reason(scene: Scene, path: str) -> str:
    if not path.startswith("/"):
        return "is no absolute path, so no runtime finds it"
    found = scene.eyes.follow(path)
    if found is None:
        return "is not there"
    return "" if found.mode & 0o111 else "may not be executed"


RULE = Rule(id="D-CDI-10", link="bridge", severity="error", look=_look)
