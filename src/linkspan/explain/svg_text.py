"""Lines of text in SVG, which breaks none by itself."""

from collections.abc import Iterable

from linkspan.explain.markup import Markup, tag

SANS, BOLD, MONO = 0.56, 0.66, 0.603
"""The width of an average letter, as a part of the font's size: of wide system fonts, so that narrow ones fit too."""


def lines(x: float, y: float, texts: Iterable[str], step: float, class_: str) -> Markup:
    """Lines of text below each other, the first with its foot at ``y``."""
    spans = [tag("tspan", text, x=f"{x:g}", y=f"{y + number * step:g}") for number, text in enumerate(texts)]
    return tag("text", *spans, class_=class_) if spans else Markup("")
