"""The drawn part of a page: a bank with its boxes, the line that joins them, the bridge across."""

from collections.abc import Callable

from linkspan.explain import shown
from linkspan.explain.chain import Box
from linkspan.explain.joints import SIDES, Joint, Placed, Run
from linkspan.explain.markup import Markup, join, tag
from linkspan.explain.page_parts import css, icon, mark, path, said

More = Callable[[Placed], Markup]

_ABOUT = {"bridge": "What carries the host’s parts across when a container starts."}
_UPPER, _LOWER = "M18 0v19l-7 5 10 3-8 6", "M18 78V59l7-5-10-3 8-6"
_SPARKS = "M5 34l-7-4M3 42h-7M31 44l7 4M33 36h7"


def bank(run: Run, place: str, number: int, toward: str = "rightward", more: More | None = None) -> Markup:
    """The section of one run.

    ``place`` are the classes that put it in the grid, ``number`` makes its name unique, ``toward`` is the way that a
    bridge leads; ``more`` gives what stands at the end of each box.
    """
    name = f"side-{number}"
    incoming = run.boxes[0].joint if run.boxes else run.leaves
    drawn = _water(name, incoming, run) if run.side == "bridge" else Markup("")
    boxes = tag("ol", *_links(run, more or _more)) if run.boxes else Markup("")
    head = _head(run, name, incoming)
    more_classes = f"{'' if run.leaves else ' last'}{'' if run.boxes else ' empty'}"
    classes = f"bank {run.side} {place} {toward}{more_classes}"
    return tag("section", drawn, head, boxes, class_=classes, aria_labelledby=name)


def _head(run: Run, name: str, incoming: Joint | None) -> Markup:
    rail = tag("div", _line("lead", incoming), class_="rail", aria_hidden="true")
    words = _ABOUT.get(run.side, "")
    about = tag("p", words) if words else Markup("")
    return tag("div", rail, tag("h2", SIDES[run.side], id=name), about, class_="head")


def _links(run: Run, more: More) -> list[Markup]:
    leaving = [*(placed.joint for placed in run.boxes[1:]), run.leaves]
    return [_link(placed, out, more(placed)) for placed, out in zip(run.boxes, leaving, strict=True)]


def _link(placed: Placed, out: Joint | None, more: Markup) -> Markup:
    box = placed.box
    station = tag("span", icon(box.state), class_=f"station {css(box.state)}")
    lines = join((_line("in", placed.joint), _line("out", out), station))
    rail = tag("div", lines, class_="rail", aria_hidden="true")
    snapped = placed.joint == "broken"
    parts = (_fracture() if snapped else Markup(""), rail, _box(box, more))
    return tag("li", *parts, class_="link snapped" if snapped else "link", id=f"box-{placed.number}")


def _line(kind: str, joint: Joint | None) -> Markup:
    return tag("span", class_=f"line {kind} line-{joint}") if joint else Markup("")


def _fracture() -> Markup:
    paths = (tag("path", d=_UPPER), tag("path", d=_LOWER), tag("path", d=_SPARKS, class_="spark"))
    drawn = tag("svg", *paths, viewBox="0 0 36 78", aria_hidden="true")
    return tag("div", drawn, tag("p", "The chain breaks here"), class_="joint")


def _water(name: str, incoming: Joint | None, run: Run) -> Markup:
    """The water below the bridge, and the curves by which the line comes onto it and leaves it."""
    wave = tag("path", d="M0 15q16-10 32 0t32 0")
    pattern = tag("pattern", wave, id=f"{name}-waves", width="64", height="28", patternUnits="userSpaceOnUse")
    rect = tag("rect", width="100%", height="100%", fill=f"url(#{name}-waves)")
    water = tag("svg", pattern, rect, class_="water", aria_hidden="true")
    # A bridge without boxes has no other line from one curve to the next.
    ends = [("arrive", incoming), ("depart", run.leaves), ("level", None if run.boxes else run.leaves)]
    elbows = [tag("span", class_=f"elbow {end} line-{joint}", aria_hidden="true") for end, joint in ends if joint]
    return join((water, *elbows))


def _box(box: Box, more: Markup) -> Markup:
    version = tag("span", said(box.version, 60), class_="version") if box.version else Markup("")
    header = tag("div", tag("div", tag("h3", said(box.title, 120)), version), mark(box.state), class_="title")
    place = tag("code", path(box.path), class_="path") if box.path else Markup("")
    owner = tag("p", "owner: ", said(box.owner, shown.NAME), class_="owner") if box.owner else Markup("")
    detail = tag("p", said(box.detail), class_="detail") if box.detail else Markup("")
    return tag("div", header, place, owner, detail, more, class_=f"box {css(box.state)}")


def _more(placed: Placed) -> Markup:
    """Links to the fix and the evidence, which stand apart."""
    box, number = placed.box, placed.number
    links = []
    if box.remedy and box.state != "holds":
        links.append(tag("a", "How to mend it", href=f"#fix-{number}"))
    if box.evidence:
        links.append(
            tag(
                "a", "What was read", href=f"#read-{number}", aria_label=f"What was read of {shown.line(box.title, 60)}"
            )
        )
    return tag("p", *links, class_="more") if links else Markup("")
