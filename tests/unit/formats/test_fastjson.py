import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import FormatError
from linkspan.formats import fastjson

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def is_json(text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return math.isfinite(value) if isinstance(value, float) else True


@settings(max_examples=200, deadline=None)
@given(values)
def test_what_is_written_is_read_back_by_us_and_by_the_public_module(value):
    text = fastjson.dumps(value)
    assert text.isascii()
    assert fastjson.loads(text) == value == json.loads(text)


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_arbitrary_text_is_a_value_or_a_format_error(text):
    try:
        value = fastjson.loads(text)
    except FormatError:
        assert not is_json(text)
    else:
        assert value == json.loads(text)


@pytest.mark.parametrize("text", ["", "{", "[1]x", '"open', '{"open": "', '"\x01"', "NaN", "[Infinity]", "{'a': 1}"])
def test_what_is_not_json_is_refused(text):
    with pytest.raises(FormatError, match="not JSON"):
        fastjson.loads(text)


def test_deep_nesting_is_refused_not_crashed_on():
    with pytest.raises(FormatError, match="too deeply"):
        fastjson.loads("[" * 1_000_000)


def test_deep_nesting_after_a_mistake_is_refused_too():
    with pytest.raises(FormatError):
        fastjson.loads("[" * 100_000 + "x")


def test_a_number_beyond_json_is_refused_when_written():
    with pytest.raises(FormatError, match="too large"):
        fastjson.dumps(fastjson.loads("[1e999]"))


def test_a_lone_surrogate_survives():
    assert fastjson.dumps(fastjson.loads('"\\ud800"')) == '"\\ud800"'


def test_what_is_no_json_value_is_a_type_error():
    with pytest.raises(TypeError, match="set"):
        fastjson.dumps({1, 2})
