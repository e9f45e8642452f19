"""The layers of an image as bars, a piece for each owner; the page and the picture are made of them."""

from collections.abc import Iterator
from typing import NamedTuple

from linkspan.explain.markup import Markup, join, tag
from linkspan.image.amounts import size
from linkspan.image.owners import OWNERS, Owner, Share


class Piece(NamedTuple):
    """A piece of a bar: whose it is, where it begins, how long it is."""

    owner: Owner
    begins: float
    length: float


def pieces(share: Share, largest: int, width: float) -> Iterator[Piece]:
    """The pieces of a layer's bar; that of the largest layer is ``width`` long."""
    begins = 0.0
    for owner, number in share.bytes.items():
        length = width * number / max(largest, 1)
        yield Piece(owner, begins, length)
        begins += length


def css(owner: Owner) -> str:
    """The class of an owner; 'hidden' has a meaning of its own in pages."""
    return "covered" if owner == "hidden" else owner


def bar(share: Share, largest: int, width: float, height: float) -> Markup:
    """A layer's bar, drawn at the origin of its own, each piece with its words."""
    drawn = [_piece(share, piece, height) for piece in pieces(share, largest, width)]
    return join(drawn)


def _piece(share: Share, piece: Piece, height: float) -> Markup:
    words = tag("title", f"{OWNERS[piece.owner]}: {size(share.bytes[piece.owner])}")
    return tag(
        "rect", words,
        x=f"{piece.begins:.2f}", width=f"{max(piece.length, 0.5):.2f}", height=f"{height:g}",
        class_=f"share {css(piece.owner)}",
    )  # fmt: skip


def largest(layers: tuple[Share, ...]) -> int:
    """The bytes of the largest layer."""
    return max((share.total for share in layers), default=0)
