"""Somebody asks for an IMEX channel by what is no channel's number."""

from collections.abc import Iterator

from linkspan.check.imex import MOST, asked
from linkspan.check.model import Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.plan.sources import IMEX_CHANNELS
from linkspan.plan.wording import quoted


def _look(scene: Scene) -> Iterator[Found]:
    for ask in asked(scene):
        if ask.number is None:
            yield Found(
                cause=f"{IMEX_CHANNELS} has {quoted(ask.word)}, and channels are numbers from 0 to {MOST - 1}",
                evidence=(ask.evidence,),
                remedy=Remedy(text=f"set {IMEX_CHANNELS} to numbers separated by commas, or to all"),
                about=ask.who,
            )


RULE = Rule(id="D-DRIVER-17", link="request", severity="warning", look=_look)
