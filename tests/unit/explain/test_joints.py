import msgspec
import pytest

from linkspan.explain import joints
from linkspan.explain.chain import Box
from tests.unit.explain import chains


def boxes(*states: str, sides: str = "") -> tuple[Box, ...]:
    """Boxes of these states; a letter of ``sides`` (c, b, h) for each, else all on the host."""
    names = {"c": "container", "b": "bridge", "h": "host"}
    where = [names[letter] for letter in sides or "h" * len(states)]
    return tuple(
        msgspec.convert({"key": "x", "title": "x", "side": side, "state": state}, Box)
        for side, state in zip(where, states, strict=True)
    )


def above(*states: str, toward: joints.Toward = "hardware") -> list[str | None]:
    return [placed.joint for placed in joints.placed(boxes(*states), toward)]


def test_the_joint_above_the_broken_box_is_the_broken_one():
    assert above("not reached", "not reached", "broken", "holds") == [None, "open", "broken", "holds"]


def test_a_broken_application_is_cut_off_from_what_is_below_it():
    assert above("broken", "holds", "holds") == [None, "broken", "holds"]


def test_for_the_doctor_the_joint_after_the_broken_link_is_broken():
    assert above("holds", "broken", "not reached", "not reached", toward="application") == [
        None,
        "holds",
        "broken",
        "open",
    ]
    assert above("holds", "holds", "broken", toward="application") == [None, "holds", "broken"]


@pytest.mark.parametrize(("state", "joint"), [("doubtful", "doubtful"), ("unknown", "open"), ("not reached", "open")])
def test_a_joint_is_no_better_than_the_worse_of_its_boxes(state, joint):
    assert above("holds", state) == [None, joint]
    assert above(state, "holds") == [None, joint]


def test_runs_are_boxes_of_one_side_and_know_how_they_are_left():
    runs = joints.runs(boxes("not reached", "holds", "broken", "holds", sides="cbhh"))
    assert [(run.side, len(run.boxes), run.leaves) for run in runs] == [
        ("container", 1, "open"),
        ("bridge", 1, "broken"),
        ("host", 2, None),
    ]


def test_between_two_banks_without_a_bridge_lies_an_empty_one():
    runs = joints.runs(boxes("holds", "holds", sides="ch"))
    assert [(run.side, len(run.boxes), run.leaves) for run in runs] == [
        ("container", 1, "holds"),
        ("bridge", 0, "holds"),
        ("host", 1, None),
    ]


def test_no_boxes_are_no_runs():
    assert joints.runs(()) == ()
    assert joints.placed(chains.HOLDS.boxes[:1])[0].joint is None
