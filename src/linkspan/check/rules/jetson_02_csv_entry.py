"""Tegra: a start failed on a line of the CSV files: the board has no such node, or the image brings that file."""

import re
from collections.abc import Iterator

from linkspan.check.docker_state import in_container
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_NO_FILE = re.compile(r"stat failed: (/[^\s:]+): no such file")
_EXISTS = re.compile(r"file creation failed: (/[^\s:]+): file exists")


def _look(scene: Scene) -> Iterator[Found]:
    if scene.facts.platform != "tegra":
        return
    entries = {entry.path: entry for entry in scene.facts.csv}
    for record in scene.docker_records:
        absent, doubled = _NO_FILE.search(record.error), _EXISTS.search(record.error)
        refused = absent or doubled
        path = in_container(refused[1]) if refused else ""
        entry = entries.get(path)
        if refused is None or entry is None or (absent and entry.host_path):
            continue
        yield Found(
            cause=f"{entry.source} lists {path}, which this board does not have"
            if absent
            else f"{entry.source} lists {path}, and the image has a file of its own there",
            evidence=(
                Evidence(subject=record.path, field="State.Error", value=refused[0][:300]),
                Evidence(subject=entry.source, field="listed", value=f"{entry.type}, {path}"),
            ),
            remedy=Remedy(
                text=f"take the line for {path} out of {entry.source.rpartition(':')[0]}, or update the toolkit, which "
                "passes over what is not there"
                if absent
                else f"remove {path} from the image, or take the line out of {entry.source.rpartition(':')[0]}"
            ),
            about=record.title,
        )


RULE = Rule(id="D-JETSON-2", link="injection", severity="error", look=_look)
