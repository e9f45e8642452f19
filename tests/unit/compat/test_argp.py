import pytest

from linkspan.compat import argp
from linkspan.compat.argp import Option, WrongUsage

OPTIONS = (
    Option("device", "d", "devices", "ID"),
    Option("debug", "", "a log", "FILE"),
    Option("compute", "c", "compute"),
    Option("utility", "u", "utility"),
    Option("user", "U", "a user", "UID", optional=True),
)

READ = [
    (("--device=0", "--device", "1,2", "-d3", "-d", "4"), {"device": ["0", "1,2", "3", "4"]}, []),
    (("-cu", "root"), {"compute": [""], "utility": [""]}, ["root"]),
    (("-cud0",), {"compute": [""], "utility": [""], "device": ["0"]}, []),
    (("--comp", "--dev=x"), {"compute": [""], "device": ["x"]}, []),
    (("--user", "5"), {"user": [""]}, ["5"]),
    (("--user=5", "-U6", "-U"), {"user": ["5", "6", ""]}, []),
    (("a", "-c", "b"), {"compute": [""]}, ["a", "b"]),
    (("-c", "--", "-u", "--x"), {"compute": [""]}, ["-u", "--x"]),
    (("-", "--device", "-c"), {"device": ["-c"]}, ["-"]),
    (("--device=",), {"device": [""]}, []),
    (("-?",), {"help": [""]}, []),
]


@pytest.mark.parametrize(("argv", "given", "words"), READ, ids=" ".join)
def test_options_are_read_as_gnu_programs_read_them(argv, given, words):
    assert argp.parse(OPTIONS, argv) == (given, words)


def test_reading_stops_at_a_command_where_that_is_wanted():
    assert argp.parse(OPTIONS, ["-c", "list", "-u"], until_word=True) == ({"compute": [""]}, ["list", "-u"])


WRONG = {
    ("--nonsense",): "unrecognized option '--nonsense'",
    ("--de",): "option '--de' is ambiguous; possibilities: '--device' '--debug'",
    ("--device",): "option '--device' requires an argument",
    ("-d",): "option -- 'd' requires an argument",
    ("-x",): "invalid option -- 'x'",
    ("--compute=1",): "option '--compute' doesn't allow an argument",
}


@pytest.mark.parametrize("argv", WRONG, ids=" ".join)
def test_what_cannot_be_followed_is_told_in_the_words_of_gnu_programs(argv):
    with pytest.raises(WrongUsage) as caught:
        argp.parse(OPTIONS, argv)
    assert str(caught.value) == WRONG[argv]


def test_help_has_a_line_for_every_option():
    lines = list(argp.lines(OPTIONS))
    assert lines[0].split() == ["-d,", "--device=ID", "devices"]
    assert "  -U, --user[=UID]" in lines[4]
    assert len(lines) == len(OPTIONS) + 2
