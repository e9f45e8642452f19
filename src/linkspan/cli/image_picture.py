"""The layers of an image as one SVG file: the top layer above, the base below, as they lie on each other."""

from functools import cache
from importlib import resources

from linkspan.cli import image_bars as bars
from linkspan.cli import image_words as words
from linkspan.explain import shown
from linkspan.explain.broken_lines import wrap
from linkspan.explain.markup import Markup, join, tag
from linkspan.explain.svg_text import lines
from linkspan.image.advice import Advice
from linkspan.image.amounts import size
from linkspan.image.owners import OWNERS, Share

WIDTH, MARGIN = 1180, 40
_ROW, _BAR, _STEP = 74, 26, 26
_LETTERS = 118
"""Letters of a layer's command that stand beside its size."""


def render(advice: Advice) -> str:
    """The picture as the text of an SVG file."""
    head, y = _head(advice)
    legend, y = _legend(advice, y + 46)
    rows = []
    for share in reversed(advice.layers):
        rows.append(_row(share, bars.largest(advice.layers), y + 34))
        y += _ROW
    return _document(advice, join((head, legend, *rows)), y + MARGIN)


def _head(advice: Advice) -> tuple[Markup, float]:
    kicker = (
        tag("tspan", "linkspan image advise", class_="side"),
        tag("tspan", f"   {shown.line(advice.source, 90)}", class_="soft"),
    )
    sentence = wrap(_capital(words.headline(advice)) + ".", 64, 4)
    drawn = join((tag("text", *kicker, x=f"{MARGIN}", y="56"), lines(MARGIN, 104, sentence, 38, "verdict")))
    return drawn, 104 + 38 * (len(sentence) - 1)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _legend(advice: Advice, y: float) -> tuple[Markup, float]:
    """The owners that there are, in three columns."""
    column = (WIDTH - 2 * MARGIN) / 3
    drawn = []
    for number, (owner, total) in enumerate(advice.owners.items()):
        x, foot = MARGIN + column * (number % 3), y + _STEP * (number // 3)
        box = tag("rect", x=f"{x:g}", y=f"{foot - 13:g}", width="15", height="15", class_=f"share {bars.css(owner)}")
        label = tag("text", f"{OWNERS[owner]}, {size(total)}", x=f"{x + 24:g}", y=f"{foot:g}")
        drawn.append(join((box, label)))
    return join(drawn), y + _STEP * -(-len(advice.owners) // 3)


def _row(share: Share, largest: int, y: float) -> Markup:
    label = (
        tag("tspan", f"{share.number}  {size(share.total)}", class_="side"),
        tag("tspan", f"   {_command(share)}", class_="soft small"),
    )
    width = WIDTH - 2 * MARGIN
    track = tag("rect", width=f"{width}", height=f"{_BAR}", class_="track")
    bar = tag("g", track, bars.bar(share, largest, width, _BAR), transform=f"translate({MARGIN} {y + 10:g})")
    return join((tag("text", *label, x=f"{MARGIN}", y=f"{y:g}"), bar))


def _command(share: Share) -> str:
    cut = wrap(shown.line(share.command, 400), _LETTERS, 1)
    return cut[0] if cut else "its history does not tell how"


def _document(advice: Advice, drawn: Markup, height: float) -> str:
    title = tag("title", f"{shown.line(advice.source, 90)}: the layers of the image and whose they are", id="title")
    told = "; ".join(f"{OWNERS[owner]} {size(total)}" for owner, total in advice.owners.items())
    about = tag("desc", f"{_capital(words.headline(advice))}. By owner: {told}.", id="desc")
    paper = tag("rect", width=str(WIDTH), height=f"{height:g}", class_="paper")
    picture = tag(
        "svg", title, about, tag("style", _style()), paper, drawn,
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {height:g}", width=str(WIDTH), height=f"{height:g}",
        role="img", aria_labelledby="title desc",
    )  # fmt: skip
    return f"{picture}\n"


@cache
def _style() -> Markup:
    data = resources.files("linkspan.explain").joinpath("data")
    return Markup("".join(data.joinpath(name).read_text("utf-8") for name in ("picture.css", "layers.css")))
