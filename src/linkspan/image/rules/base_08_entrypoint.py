"""NVIDIA's entrypoint is there, and is not called."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_SCRIPT = "/opt/nvidia/nvidia_entrypoint.sh"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    config = image.config
    if config.is_there and image.get(_SCRIPT) and _SCRIPT not in (*config.entrypoint, *config.cmd):
        words = ", ".join(f'"{word}"' for word in config.entrypoint) or '"…"'
        yield Broken(
            cause=f"the image has {_SCRIPT}, and its entrypoint does not call it",
            fix=f'ENTRYPOINT ["{_SCRIPT}", {words}]; or let it be: it only warns',
            paths=(_SCRIPT,),
        )


RULE = Rule(
    id="I-BASE-8",
    title="NVIDIA's entrypoint is left out",
    area="base",
    severity="info",
    why="It says at the start that no GPU, or too old a driver, was found; a program alone tells less.",
    look=_look,
)
