import pytest

from linkspan.compat.goflags import Flag, WrongUsage, parse

FLAGS = (
    Flag(("output", "o"), "", env=("OUT",)),
    Flag(("mode",), "", default="auto"),
    Flag(("quiet", "q"), "", "switch", env=("FIRST", "QUIET")),
    Flag(("id", "ids"), "", "list", "all", ("IDS",)),
    Flag(("set",), "", "verbatim"),
)


def values(*argv, **env):
    found, rest = parse(FLAGS, argv, env)
    assert rest == []
    return found


@pytest.mark.parametrize("argv", [("-output", "x"), ("--output", "x"), ("-output=x",), ("--output=x",), ("-o", "x")])
def test_one_dash_or_two_and_a_value_behind_or_beside(argv):
    assert values(*argv).text("output") == "x"


def test_a_value_may_look_like_a_flag_or_be_empty():
    assert values("--output", "--mode").text("output") == "--mode"
    assert values("--output=", OUT="y").text("output") == ""
    assert values("--output", "a=b").text("output") == "a=b"


def test_the_last_of_several_counts_and_a_list_adds_up():
    assert values("--mode", "a", "--mode=b").text("mode") == "b"
    assert values("--id", "0, 1", "--ids=2,0").items("id") == ("0", "1", "2")
    assert values("--set", "a=1,2", "--set", "b").each("set") == ("a=1,2", "b")


def test_defaults_hold_where_nothing_is_said():
    found = values()
    assert (found.text("mode"), found.items("id"), found.switch("quiet"), found.each("set")) == (
        "auto",
        ("all",),
        False,
        (),
    )
    assert not found.given("mode")


def test_a_switch_takes_a_value_only_after_a_sign():
    assert values("-q").switch("quiet")
    assert not values("--quiet=false").switch("quiet")
    assert parse(FLAGS, ("--quiet", "false"), {})[1] == ["false"]


def test_variables_stand_in_and_the_command_line_wins():
    assert values(OUT="x", IDS="1,2", QUIET="T").text("output") == "x"
    assert values(IDS="1,2").items("id") == ("1", "2")
    assert values(QUIET="T").switch("quiet")
    assert values("--output", "y", OUT="x").text("output") == "y"
    assert not values("--quiet=0", FIRST="1").switch("quiet")


def test_parsing_ends_at_the_first_word_that_is_no_flag():
    assert parse(FLAGS, ("-q", "list", "-q"), {})[1] == ["list", "-q"]
    assert parse(FLAGS, ("-q", "--", "-q"), {})[1] == ["-q"]
    assert parse(FLAGS, ("-",), {})[1] == ["-"]


@pytest.mark.parametrize(
    ("argv", "env", "message"),
    [
        (("--outpu", "x"), {}, "flag provided but not defined: -outpu"),
        (("--output",), {}, "flag needs an argument: -output"),
        (("--quiet=maybe",), {}, 'invalid boolean value "maybe" for -quiet; write true or false'),
        ((), {"QUIET": "maybe"}, 'invalid boolean value "maybe" for $QUIET; write true or false'),
    ],
)
def test_what_cannot_be_followed_is_said_in_one_sentence(argv, env, message):
    with pytest.raises(WrongUsage) as caught:
        parse(FLAGS, argv, env)
    assert str(caught.value) == message
