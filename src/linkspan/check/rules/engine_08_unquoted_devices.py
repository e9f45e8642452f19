"""``--gpus device=0,1`` without the quotes that docker's comma takes, in a unit that starts a container."""

import re
from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.host import glob

_FOLDERS = ("/etc/systemd/system/*.service", "/etc/cron.d/*", "/home/*/.config/systemd/user/*.service")
_UNQUOTED = re.compile(r"""--gpus[= ]+(?P<quote>["']?)(?P<value>device=[\w:.-]+(?:,[\w:.-]+)+)(?P=quote)(?=\s|\\|$)""")
_LIMIT = 64 << 10


def _look(scene: Scene) -> Iterator[Found]:
    for path in (path for pattern in _FOLDERS for path in glob(scene.eyes, pattern)):
        for number, line in enumerate((scene.eyes.text(path, _LIMIT) or "").splitlines(), 1):
            found = None if line.lstrip().startswith("#") else _UNQUOTED.search(line)
            if found:
                right = f"""--gpus '"{found["value"]}"'"""
                yield Found(
                    cause=f"docker reads the comma in --gpus {found['value']} as the end of the device list",
                    evidence=(Evidence(subject=f"{path}:{number}", field="--gpus", value=found[0]),),
                    remedy=Remedy(text=f"write {right}, with both kinds of quotes"),
                    about=path,
                )


RULE = Rule(id="D-ENGINE-8", link="request", severity="error", look=_look)
