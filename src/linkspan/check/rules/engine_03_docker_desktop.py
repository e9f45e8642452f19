"""Docker Desktop for Linux: its containers run in a virtual machine that has no GPU."""

import json
from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.host import glob

_CONTEXT = "desktop-linux"


def _look(scene: Scene) -> Iterator[Found]:
    for path in ("/root/.docker/config.json", *glob(scene.eyes, "/home/*/.docker/config.json")):
        if _context(scene.eyes.text(path) or "") == _CONTEXT:
            yield Found(
                cause="the docker command speaks to Docker Desktop, whose virtual machine has no GPU and no bridge",
                evidence=(Evidence(subject=path, field="currentContext", value=_CONTEXT),),
                remedy=Remedy(text="speak to the Docker of this host", commands=("docker context use default",)),
                about=f"user {path.split('/')[-3]}",
            )


def _context(text: str) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        return ""
    return str(document.get("currentContext", "")) if isinstance(document, dict) else ""


RULE = Rule(id="D-ENGINE-3", link="engine", severity="error", look=_look)
