"""A MIG device is asked for by a name that drivers from 470 on do not give any more."""

import re
from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.formats import versions

_OLD = re.compile(r"MIG-GPU-[0-9a-f-]{1,64}/\d{1,9}/\d{1,9}", re.IGNORECASE)
_FIRST_WITH_NEW = 470
_VARIABLE = "NVIDIA_VISIBLE_DEVICES"


def _look(scene: Scene) -> Iterator[Found]:
    branch = (versions.parse(scene.loaded_driver) or (0,))[0]
    if branch < _FIRST_WITH_NEW:
        return
    for record in scene.docker_records:
        asked = [*record.env.get(_VARIABLE, "").split(","), *(name for one in record.requests for name in one.ids)]
        old = next((name for name in asked if _OLD.search(name)), "")
        if old and not record.running:
            failed = "unknown device" in record.error
            yield Found(
                cause=f"it asks for {old}, and from driver 470 on MIG devices are called by a UUID of their own",
                evidence=(
                    Evidence(subject=record.asked if record.requests else record.path, field="asked for", value=old),
                    *(
                        (Evidence(subject=record.path, field="State.Error", value=record.error[-300:]),)
                        if failed
                        else ()
                    ),
                ),
                remedy=Remedy(
                    text="ask for MIG-<UUID>, or for GPU and number as in 0:1; 'nvidia-smi -L' lists both",
                    commands=("nvidia-smi -L",) if scene.has("nvidia-smi") else (),
                ),
                about=record.title,
                severity=None if failed else "warning",
            )


RULE = Rule(id="D-MIG-1", link="request", severity="error", look=_look)
