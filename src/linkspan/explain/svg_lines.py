"""The line of the SVG picture: it runs from station to station, bends at the bridge, and snaps where it is broken."""

from collections.abc import Sequence
from typing import NamedTuple

from linkspan.explain.joints import Joint
from linkspan.explain.markup import Markup, join, tag

Point = tuple[float, float]
RADIUS = 26
FRACTURE = 78
"""Length of the place where the line is snapped."""
BEFORE = 68
"""How far above a station its fracture is."""
_UPPER, _LOWER = "M0-39v19l-7 5 10 3-8 6", "M0 39v-19l7-5-10-3 8-6"
_SPARKS = "M-13-5l-7-4M-15 3h-7M13 5l7 4M15-3h7"


class Bend(NamedTuple):
    """A way from one point to the next with only upright and level pieces; ``deck`` is the height of the bridge."""

    start: Point
    end: Point
    deck: float | None


def joint(way: Bend, state: Joint) -> Markup:
    """The line between two stations; a broken one is snapped shortly before its end, or midway on a bridge."""
    points = _points(way)
    if state != "broken":
        return tag("path", d=_path(points), class_=f"line {state}")
    first, last, angle, middle = _cut(points)
    turned = f"translate({middle[0]:g} {middle[1]:g}) rotate({angle})"
    pieces = (tag("path", d=_UPPER), tag("path", d=_LOWER), tag("path", d=_SPARKS, class_="spark"))
    ends = [tag("path", d=_path(piece), class_="line broken") for piece in (first, last)]
    return join((*ends, tag("g", *pieces, class_="line broken", transform=turned)))


def _points(way: Bend) -> list[Point]:
    (x, y), (end_x, end_y), deck = way
    if deck is None or x == end_x:
        return [(x, y), (end_x, end_y)]
    middle = [(x, deck), (end_x, deck)]
    return [way.start, *(point for point in middle if point not in {way.start, way.end}), way.end]


def _cut(points: list[Point]) -> tuple[list[Point], list[Point], int, Point]:
    """The way up to the fracture and from it on, the angle at which the fracture lies, and its middle."""
    (x, y), (end_x, end_y) = points[-2:]
    half = FRACTURE / 2
    if x == end_x:
        middle = (x, end_y - BEFORE)
        return [*points[:-1], (x, middle[1] - half)], [(x, middle[1] + half), points[-1]], 0, middle
    sign = 1 if end_x > x else -1
    middle = ((x + end_x) / 2, y)
    first, last = (middle[0] - sign * half, y), (middle[0] + sign * half, y)
    return [*points[:-1], first], [last, points[-1]], -90 * sign, middle


def _path(points: Sequence[Point]) -> str:
    """A path through the points, its corners rounded."""
    parts = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        parts.append(f"L{_toward(here, before)}Q{here[0]:g} {here[1]:g} {_toward(here, after)}")
    return "".join((*parts, f"L{points[-1][0]:g} {points[-1][1]:g}"))


def _toward(corner: Point, other: Point) -> str:
    """The point on the way from a corner to the other where the curve begins."""
    (x, y), (to_x, to_y) = corner, other
    length = abs(to_x - x) + abs(to_y - y)
    part = min(RADIUS, length / 2) / length if length else 0
    return f"{x + (to_x - x) * part:g} {y + (to_y - y) * part:g}"
