"""Flags as Go programs take them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkspan.errors import FormatError
from linkspan.formats import goflags

KNOWN = {"link": "TARGET::LINK...", "mode": "MODE", "debug": "", "d": ""}
EMPTY = {"link": [], "mode": "", "debug": False, "d": False}


@pytest.mark.parametrize("dashes", ["-", "--"])
@pytest.mark.parametrize("joined", [True, False])
def test_every_spelling_means_the_same(dashes, joined):
    words = [f"{dashes}link=a::b", f"{dashes}mode=7"] if joined else [f"{dashes}link", "a::b", f"{dashes}mode", "7"]
    assert goflags.parse(words, KNOWN) == (EMPTY | {"link": ["a::b"], "mode": "7"}, [])


def test_a_value_may_look_like_a_flag_or_be_empty_or_hold_the_sign():
    assert goflags.parse(["--mode", "--debug", "--link="], KNOWN)[0] == EMPTY | {"mode": "--debug", "link": [""]}
    assert goflags.parse(["--mode=a=b"], KNOWN)[0] == EMPTY | {"mode": "a=b"}


def test_what_is_repeated_adds_up_or_comes_last():
    values, _ = goflags.parse(["--link", "a,b", "--mode", "1", "--link=a", "--mode=2"], KNOWN)
    assert values == EMPTY | {"link": ["a", "b", "a"], "mode": "2"}


@pytest.mark.parametrize(("word", "value"), [("-d", True), ("--d=true", True), ("-d=F", False), ("--d=0", False)])
def test_a_switch_takes_a_value_only_behind_the_sign(word, value):
    assert goflags.parse([word, "true"], KNOWN) == (EMPTY | {"d": value}, ["true"])


def test_words_may_stand_between_flags_unless_the_first_ends_them():
    words = ["-d", "x", "--mode", "1", "-", "--", "--debug"]
    assert goflags.parse(words, KNOWN) == (EMPTY | {"d": True, "mode": "1"}, ["x", "-", "--debug"])
    assert goflags.parse(words, KNOWN, until_word=True) == (EMPTY | {"d": True}, words[1:])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--nonsense=1"], "--nonsense is not known"),
        (["---mode=1"], "---mode is not known"),
        (["--mode"], "--mode has no value"),
        (["--debug=perhaps"], "--debug is 'perhaps', neither true nor false"),
    ],
)
def test_what_is_wrong_is_said(words, reason):
    with pytest.raises(FormatError, match=reason):
        goflags.parse(words, KNOWN)


def test_the_usage_names_every_flag():
    assert goflags.usage(KNOWN) == "[--link TARGET::LINK]... [--mode MODE] [--debug] [--d]"


@given(st.lists(st.sampled_from(["-d", "--mode", "--link=a", "--", "-", "x", "--x", "--debug=t", "=", ""])))
def test_any_words_are_read_or_refused_as_a_format(words):
    try:
        values, _ = goflags.parse(words, KNOWN)
    except FormatError:
        return
    assert values.keys() == KNOWN.keys()
