"""The names by which engines and existing installations know these programs, as links beside ours.

A program that has such a name already, NVIDIA's for instance, is only set aside when that is asked for, and is put back
when ours are taken away.
"""

import os

from linkspan.errors import ConfigError
from linkspan.kernel import trees

NAMES = {
    "nvidia-container-runtime": "linkspan-runtime",
    "nvidia-container-runtime-hook": "linkspan-prestart-hook",
    "nvidia-container-toolkit": "linkspan-prestart-hook",
    "nvidia-cdi-hook": "linkspan-cdi-hook",
    "nvidia-ctk": "linkspan-ctk",
    "nvidia-container-cli": "linkspan-container-cli",
}
"""Each name, and the program of ours that answers to it."""

_OF_THE_PACKAGE = b"from linkspan."
"""What pip's scripts for our own commands have near their beginning: they lie in a prefix that pip installed to."""

ASIDE = ".before-linkspan"
"""What is added to the name of a program that was set aside."""


def put(folder: str, *, replace: bool = False) -> tuple[str, ...]:
    """Make the links in a folder that has our programs; the paths of what answers to the names then.

    A script that pip put there for this package does so already, and stays.

    All or nothing: raises ConfigError, before anything is changed, where a name is taken and ``replace`` is not set.
    """
    wanted = [path for path in _paths(folder) if not _is_script(path)]
    taken = [path for path in wanted if os.path.lexists(path) and not _is_ours(path)]
    if taken and not replace:
        raise ConfigError(
            f"{taken[0]} is there already, and is not linkspan's",
            hint=f"remove it, or install with --replace, which keeps it as {os.path.basename(taken[0])}{ASIDE}",
            subject=taken[0],
        )
    for path in taken:
        _set_aside(path)
    for path in wanted:
        _link(path)
    return tuple(_paths(folder))


def take_away(folder: str) -> tuple[str, ...]:
    """Remove our links, and put back what was set aside; the paths of the links that were there."""
    removed = [path for path in _paths(folder) if _is_ours(path) and trees.remove_file(path)]
    for path in _paths(folder):
        if os.path.lexists(path + ASIDE) and not os.path.lexists(path):
            trees.rename(path + ASIDE, path)
    return tuple(removed)


def elsewhere(folder: str, search_path: str) -> list[str]:
    """Programs of these names in other folders of a PATH, which an engine may find before or after ours."""
    folders = dict.fromkeys(one for one in search_path.split(":") if one.startswith("/"))
    there = [
        f"{other}/{name}" for other in folders if os.path.realpath(other) != os.path.realpath(folder) for name in NAMES
    ]
    return [path for path in there if os.access(path, os.X_OK) and not (_is_ours(path) or _is_script(path))]


def _paths(folder: str) -> list[str]:
    return [f"{folder}/{name}" for name in NAMES]


def _is_ours(path: str) -> bool:
    return os.path.islink(path) and os.path.basename(os.readlink(path)) == NAMES[os.path.basename(path)]


def _is_script(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return not os.path.islink(path) and _OF_THE_PACKAGE in file.read(512)
    except OSError:
        return False


def _set_aside(path: str) -> None:
    if os.path.lexists(path + ASIDE):
        raise ConfigError(
            f"{path} cannot be set aside: there is already {path}{ASIDE}",
            hint="remove the one that is not needed any more",
            subject=path,
        )
    trees.rename(path, path + ASIDE)


def _link(path: str) -> None:
    if not _is_ours(path):
        trees.make_link(NAMES[os.path.basename(path)], path)
