"""IMEX channels that containers ask for, and whether such channels can be."""

from collections.abc import Iterator
from typing import NamedTuple

from linkspan.check.model import Evidence
from linkspan.check.scene import Scene
from linkspan.plan.sources import IMEX_CHANNELS

FOLDER = "/dev/nvidia-caps-imex-channels"
MAJOR = "nvidia-caps-imex-channels"
"""How /proc/devices calls them."""
MOST = 2048
"""As many channels as there can be (contract 5.5)."""


class Ask(NamedTuple):
    """A word of somebody's request; ``number`` is None for what is no channel, ``has`` says that it has that one."""

    who: str
    word: str
    number: int | None
    evidence: Evidence
    has: bool = False


def asked(scene: Scene) -> Iterator[Ask]:
    """The channels that running containers, and those that Docker keeps, ask for by their variables."""
    for one in scene.containers:
        for ask in _of(one.name, f"/proc/{one.pid}/environ", one.env.get(IMEX_CHANNELS, "")):
            yield ask._replace(has=one.root.exists(f"{FOLDER}/channel{ask.number}"))
    for record in scene.docker_records:
        if not record.running:
            yield from _of(record.title, record.path, record.env.get(IMEX_CHANNELS, ""))


def _of(who: str, path: str, value: str) -> Iterator[Ask]:
    evidence = Evidence(subject=path, field=IMEX_CHANNELS, value=value)
    for word in filter(None, (part.strip() for part in value.split(","))):
        if word not in ("all", "none", "void"):
            yield Ask(who, word, _number(word), evidence)


def _number(word: str) -> int | None:
    digits = word.removeprefix("channel")
    good = digits.isascii() and digits.isdecimal() and len(digits) < 10 and int(digits) < MOST
    return int(digits) if good else None


def channels(scene: Scene) -> set[int]:
    """The channels that have a node."""
    names = (node.path for node in scene.facts.devices if node.path.startswith(f"{FOLDER}/channel"))
    return {int(path.removeprefix(f"{FOLDER}/channel")) for path in names if path[-1].isdecimal()}
