"""Versions with dots."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.formats import versions


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("550.163.01", (550, 163, 1)), ("12.4", (12, 4)), ("535.05", (535, 5)), ("7", (7,)), ("0.0", (0, 0))],
)
def test_a_version_is_its_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert versions.parse(text) == numbers


@pytest.mark.parametrize("text", ["", ".", "1.", ".1", "1..2", "1.2b", "v1", "-1", " 1", "1_0", "²", "१", "1" * 65])
def test_anything_else_is_no_version(text: str) -> None:
    assert versions.parse(text) is None


@pytest.mark.parametrize(
    ("a", "b", "sign"),
    [((550, 54), (550, 163), -1), ((12,), (12, 0, 0), 0), ((12, 0, 1), (12,), 1), ((9,), (10,), -1), ((), (0,), 0)],
)
def test_numbers_compare_as_numbers_and_missing_parts_as_zero(
    a: tuple[int, ...], b: tuple[int, ...], sign: int
) -> None:
    assert versions.compare(a, b) == sign
    assert versions.compare(b, a) == -sign


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_a_version_or_none(text: str) -> None:
    numbers = versions.parse(text)
    assert numbers is None or versions.parse(".".join(map(str, numbers))) == numbers
