"""Advice on an image: what base is enough, what it could do without, which driver it needs, whose its bytes are."""

import msgspec

from linkspan.facts.model import Model
from linkspan.image.fleet import Fleet, needed
from linkspan.image.judged import legible
from linkspan.image.model import Image
from linkspan.image.owners import Owner, Share, shares, totals
from linkspan.image.registry import Target
from linkspan.image.savings import Saving, savings
from linkspan.image.stack import Part, stack
from linkspan.image.variant import Choice, choose
from linkspan.image.wants import Wants


class Advice(Model, frozen=True, kw_only=True, omit_defaults=False):
    """All of it; ``bytes`` is the size of all files of all layers, ``owners`` the same by owner."""

    source: str
    target: Target = Target()
    base: Choice
    parts: tuple[Part, ...] = ()
    savings: tuple[Saving, ...] = ()
    fleet: Fleet = Fleet()
    bytes: int = 0
    owners: dict[Owner, int] = {}
    layers: tuple[Share, ...] = ()


def advise(image: Image, target: Target | None = None) -> Advice:
    """The advice for an image that is to run on a target, as far as that is known."""
    where, wants = target or Target(), Wants(image)
    fleet, layers = needed(image, wants, where), shares(image)
    advice = Advice(
        source=image.source,
        target=where,
        base=choose(image, wants),
        parts=stack(image).parts,
        savings=savings(image, wants, where, fleet.cuda),
        fleet=fleet,
        bytes=sum(share.total for share in layers),
        owners=totals(layers),
        layers=layers,
    )
    return msgspec.convert(_legible(msgspec.to_builtins(advice)), Advice)


def _legible(tree: object) -> object:
    """The same tree, every text of the image's fit for UTF-8."""
    if isinstance(tree, dict):
        return {key: _legible(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_legible(value) for value in tree]
    return legible(tree) if isinstance(tree, str) else tree
