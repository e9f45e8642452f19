"""A shell as the first process, which keeps signals to itself."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_SHELLS = ("/bin/sh", "/bin/bash", "sh", "bash")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    words = image.config.entrypoint or image.config.cmd
    if len(words) == 3 and words[0] in _SHELLS and words[1] == "-c" and not words[2].lstrip().startswith("exec "):
        which = "ENTRYPOINT" if image.config.entrypoint else "CMD"
        yield Broken(
            cause=f"the image starts {words[2].split()[0] if words[2].split() else 'nothing'} by way of a shell",
            fix=f'{which} ["program", "argument"] instead of {which} program argument',
        )


RULE = Rule(
    id="I-BASE-9",
    title="the program is started by a shell",
    area="base",
    severity="info",
    why="A stop reaches the shell and not the program: after ten seconds it is killed, with its work on the GPU.",
    look=_look,
)
