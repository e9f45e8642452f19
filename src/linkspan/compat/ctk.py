"""``nvidia-ctk``: the toolkit's own command (contract 5, 5.8 and 7).

``nvidia-ctk hook`` stands in CDI specs that others wrote, so a container waits for it: it becomes the program
``nvidia-cdi-hook`` before anything else is imported.
"""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

PROGRAM = "nvidia-ctk"
HOOK = "nvidia-cdi-hook"


def run(argv: Sequence[str]) -> int:
    """Run one command line; its exit code."""
    if argv[:1] == ["hook"]:
        return _become_hook(sys.argv[0], list(argv[1:]))
    from linkspan.compat import ctk_tree

    return ctk_tree.run(argv)


def _become_hook(own: str, argv: list[str]) -> int:
    """Go on as the hook program that stands beside this one; returns only where there is none."""
    place = os.path.join(os.path.dirname(os.path.realpath(own)), HOOK)
    beside = os.path.join(os.path.dirname(os.path.abspath(own)), HOOK)
    for program in (beside, place, f"/usr/local/bin/{HOOK}", f"/usr/bin/{HOOK}"):
        if os.access(program, os.X_OK):
            os.execv(program, [HOOK, *argv])
    sys.stderr.write(f"{PROGRAM}: there is no {HOOK} beside {own}; put it in place with 'linkspan install'\n")
    return 1


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The entry point of the program, with the arguments after its name."""
    try:
        code = run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever read our output has seen enough
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
