"""A spec with more in it than the version that it states allows: engines leave it out without a word."""

from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.model import Evidence, Found
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    for file in cdi_use.unreadable(scene):
        found = next((one for one in file.problems if one.where[-1:] == ("cdiVersion",)), None)
        if found is not None:
            yield Found(
                cause=f"engines leave {file.path} out, since its cdiVersion {found.reason}",
                evidence=(Evidence(subject=f"{file.path}:{found.line}", field="cdiVersion", value=found.reason),),
                remedy=cdi_use.refresh(scene, "have it made anew, in the lowest version that is enough", file.path),
            )


RULE = Rule(id="D-CDI-9", link="bridge", severity="error", look=_look)
