"""The page of a chain: the sentence, the two banks with the bridge, what to do, and what it rests on.

On a wide screen the container is the left bank and the host the right one, each at its height in the chain; the two
corners that stay free hold the fix and the evidence. On a narrow screen all of it is one column.
"""

from linkspan.explain import joints
from linkspan.explain.chain import Box, Chain
from linkspan.explain.joints import Placed, Run
from linkspan.explain.markup import Markup, join, tag
from linkspan.explain.page_parts import commands, evidence, mark, said
from linkspan.explain.page_picture import bank

_COLUMNS = {"container": "left", "bridge": "across", "host": "right"}
_OPPOSITE = {"left": "right", "right": "left", "across": "across"}
_OVERALL = {True: ("holds", "It works"), False: ("broken", "It does not work"), None: ("unknown", "Not certain")}
_LAST_ROW = 9
"""Rows that the style knows by name; a chain that changes sides more often than that goes on below each other."""


def body(chain: Chain) -> Markup:
    """All between the page's beginning and its footer."""
    runs = joints.runs(chain.boxes)
    first, last = (_OPPOSITE[_COLUMNS[run.side]] for run in (runs[0], runs[-1])) if runs else ("across", "across")
    start = 2 if first == "across" else 1
    end = start + len(runs) - (last != "across" and len(runs) > 1)
    top, bottom = _panels(chain)
    banks = [_bank(runs, number, start) for number in range(len(runs))]
    above, below = _panel(top, f"{first} {_row(1)}"), _panel(bottom, f"{last} {_row(end)} under")
    # In one column, what to do comes before the picture, and what was read after it.
    parts = (above, *banks, below) if _is_to_mend(chain) else (*banks, above, below)
    return join((_header(chain), tag("main", tag("div", *parts, class_="crossing"))))


def _row(number: int) -> str:
    return f"row-{number}" if number <= _LAST_ROW else ""


def _bank(runs: tuple[Run, ...], number: int, start: int) -> Markup:
    run = runs[number]
    toward = "leftward" if number and runs[number - 1].side == "host" else "rightward"
    return bank(run, f"{_COLUMNS[run.side]} {_row(start + number)}", number, toward)


def _header(chain: Chain) -> Markup:
    kicker = tag("p", tag("b", "linkspan explain"), tag("span", said(chain.subject)), class_="kicker")
    return tag("header", kicker, tag("h1", said(chain.verdict, 400)), tag("p", *_sum(chain), class_="sum"))


def _sum(chain: Chain) -> list[Markup]:
    """How it stands, in a line: works or not, and the link to mend first."""
    parts = [mark(*_OVERALL[chain.works])]
    broken = chain.broken
    if broken:
        number = chain.boxes.index(broken)
        parts.append(tag("span", "Broken at ", tag("a", said(broken.title, 120), href=f"#box-{number}"), "."))
    else:
        held = sum(box.state == "holds" for box in chain.boxes)
        parts.append(tag("span", f"{held} of {len(chain.boxes)} links hold."))
    return parts


def _panels(chain: Chain) -> tuple[Markup, Markup]:
    """What stands in the upper free corner and in the lower one: the fix, where there is one, comes first."""
    if _is_to_mend(chain):
        return _fixes(chain), join((_evidence(_read(chain), "What was read", "read"), _legend()))
    near = [placed for placed in _read(chain) if placed.box.side != "host"]
    far = [placed for placed in _read(chain) if placed.box.side == "host"]
    upper = _evidence(near, "What was read of the container", "read-container")
    lower = _evidence(far, "What was read of the host", "read-host")
    return (upper, join((lower, _legend()))) if near else (lower, _legend())


def _panel(content: Markup, place: str) -> Markup:
    return tag("div", content, class_=f"panel {place}")


def _is_to_mend(chain: Chain) -> bool:
    return any(_needs(box) for box in chain.boxes)


def _needs(box: Box) -> bool:
    return box.remedy is not None and box.state != "holds"


def _fixes(chain: Chain) -> Markup:
    """The remedies, that of the link to mend first before the others."""
    needing = [placed for placed in joints.placed(chain.boxes) if _needs(placed.box)]
    needing.sort(key=lambda placed: (placed.box is not chain.broken, -placed.number))
    items = [_fix(placed) for placed in needing]
    return tag("section", tag("h2", "How to mend it", id="fix"), *items, aria_labelledby="fix")


def _fix(placed: Placed) -> Markup:
    box, remedy = placed.box, placed.box.remedy
    assert remedy is not None
    heading = tag("h3", said(box.title, 120), mark(box.state))
    cause = tag("p", said(box.detail), class_="cause") if box.detail else Markup("")
    known = tag("p", "Known as ", tag("code", said(box.finding)), class_="cause") if box.finding else Markup("")
    todo = tag("p", said(remedy.text), class_="todo")
    return tag("div", heading, cause, known, todo, commands(remedy), class_="remedy", id=f"fix-{placed.number}")


def _read(chain: Chain) -> list[Placed]:
    """The boxes of which something was read, the broken one first."""
    having = [placed for placed in joints.placed(chain.boxes) if placed.box.evidence]
    return sorted(having, key=lambda placed: (placed.box is not chain.broken, placed.number))


def _evidence(having: list[Placed], title: str, name: str) -> Markup:
    if not having:
        return Markup("")
    items = [_of_box(placed.number, placed.box) for placed in having]
    return tag("section", tag("h2", title, id=name), *items, aria_labelledby=name)


def _of_box(number: int, box: Box) -> Markup:
    return tag("div", tag("h3", said(box.title, 120)), evidence(box.evidence), class_="evidence", id=f"read-{number}")


def _legend() -> Markup:
    marks = [tag("li", mark(state)) for state in ("holds", "broken", "doubtful", "not reached", "unknown")]
    return tag(
        "section", tag("h2", "The marks", id="marks"), tag("ul", *marks, class_="legend"), aria_labelledby="marks"
    )
