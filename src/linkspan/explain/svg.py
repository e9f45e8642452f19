"""A chain as one SVG file, for slides, tickets and pages that show pictures but no HTML.

The same picture as the page's: the container on the left bank, the host on the right one, the bridge across, what to do
and what was read in the corners that are free. SVG breaks no lines, so they are broken here; what is too long ends in
"…", and stands whole in the box's ``<title>``.
"""

from functools import cache
from importlib import resources
from itertools import pairwise

from linkspan.explain import joints, shown, svg_corners, svg_lines
from linkspan.explain.broken_lines import wrap
from linkspan.explain.chain import Chain
from linkspan.explain.joints import Run
from linkspan.explain.markup import Markup, join, tag
from linkspan.explain.svg_banks import BANK, MARGIN, WIDTH, Part, bank, bridge, left
from linkspan.explain.svg_corners import Corner
from linkspan.explain.svg_lines import Bend
from linkspan.explain.svg_text import lines


def render(chain: Chain) -> str:
    """The picture as the text of an SVG file."""
    head, top = _head(chain)
    runs = joints.runs(chain.boxes)
    upper, lower = svg_corners.texts(chain)
    first = svg_corners.draw(upper, _free(runs[:1]), top, BANK)
    parts = _parts(runs, top, first)
    last = parts[-1] if parts else None
    beside = last.top if last and last.deck is None and len(parts) > 1 else max(first.end, last.end if last else top)
    second = svg_corners.draw(lower, _free(runs[-1:]), beside, BANK)
    below = join((*(part.ground for part in parts), *_line(parts), *(part.boxes for part in parts)))
    end = max(second.end, first.end, last.end if last else top)
    return _document(chain, join((head, below, first.drawn, second.drawn)), end + MARGIN)


def _parts(runs: tuple[Run, ...], top: float, corner: Corner) -> list[Part]:
    """The runs below each other; the first bank is as high as the corner beside it."""
    parts: list[Part] = []
    y = max(top, corner.end) if runs and runs[0].side == "bridge" else top
    for number, run in enumerate(runs):
        if run.side == "bridge":
            parts.append(bridge(run, y, number, _afterwards(runs, number)))
        else:
            parts.append(bank(run, y, corner.end if number == 0 and len(runs) > 1 else 0))
        y = parts[-1].end
    return parts


def _afterwards(runs: tuple[Run, ...], number: int) -> bool:
    """Whether a bridge leads to the right: away from the container."""
    before = runs[number - 1].side if number else "container"
    return before != "host"


def _free(runs: tuple[Run, ...]) -> float:
    """Where the corner beside a run begins."""
    return (
        left("container")
        if runs and runs[0].side == "host"
        else left("host")
        if runs and runs[0].side == "container"
        else MARGIN
    )


def _head(chain: Chain) -> tuple[Markup, float]:
    kicker = (
        tag("tspan", "linkspan explain", class_="side"),
        tag("tspan", f"   {shown.line(chain.subject, 90)}", class_="soft"),
    )
    verdict = wrap(shown.line(chain.verdict, 400), 56, 4)
    drawn = join((tag("text", *kicker, x=f"{MARGIN}", y="56"), lines(MARGIN, 104, verdict, 38, "verdict")))
    return drawn, 104 + 38 * len(verdict)


def _line(parts: list[Part]) -> list[Markup]:
    """The line from the first station to the last, joint by joint."""
    spots = [(spot, part.deck) for part in parts for spot in part.spots]
    empty = [part.deck for part in parts if part.deck is not None and not part.spots]
    drawn = []
    for (before, deck), (after, next_deck) in pairwise(spots):
        over = deck or next_deck or next((one for one in empty if one and before.y < one < after.y), None)
        assert after.joint is not None
        drawn.append(svg_lines.joint(Bend((before.x, before.y), (after.x, after.y), over), after.joint))
    return drawn


def _document(chain: Chain, drawn: Markup, height: float) -> str:
    box = f"0 0 {WIDTH} {height:g}"
    title = tag("title", f"{shown.line(chain.subject, 90)}: the chain from application to GPU", id="title")
    steps = "; ".join(f"{shown.line(one.title, 90)} {one.state}" for one in chain.boxes)
    words = tag("desc", f"{shown.line(chain.verdict, 400)} The chain, from the application on: {steps}.", id="desc")
    paper = tag("rect", width=str(WIDTH), height=f"{height:g}", class_="paper")
    picture = tag(
        "svg", title, words, tag("style", _style()), paper, drawn,
        xmlns="http://www.w3.org/2000/svg", viewBox=box, width=str(WIDTH), height=f"{height:g}",
        role="img", aria_labelledby="title desc",
    )  # fmt: skip
    return f"{picture}\n"


@cache
def _style() -> Markup:
    return Markup(resources.files("linkspan.explain").joinpath("data", "picture.css").read_text("utf-8"))
