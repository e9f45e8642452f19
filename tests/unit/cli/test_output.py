import io

import pytest
import typer

from linkspan.cli import output
from linkspan.errors import ConfigError, DeviceNotFound, KernelError


def test_an_error_is_its_message_and_its_hint(capsys):
    code = output.fail(DeviceNotFound("GPU 9 does not exist", hint="see 'linkspan facts'"))
    assert capsys.readouterr() == ("", "linkspan: GPU 9 does not exist\nhint: see 'linkspan facts'\n")
    assert code == output.FAILED


def test_an_error_without_a_hint_is_one_line(capsys):
    output.fail(ConfigError("c.toml:1: not valid TOML"))
    assert capsys.readouterr().err == "linkspan: c.toml:1: not valid TOML\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 1),
        (KernelError("x"), 3),
        (PermissionError(13, "Permission denied", "/x"), 3),
        (typer.BadParameter("x"), 2),
        (ZeroDivisionError("x"), 1),
    ],
)
def test_the_exit_code_says_what_kind_of_failure_it_was(error, code):
    assert output.fail(error) == code


def test_an_error_of_the_system_names_its_file(capsys):
    output.fail(PermissionError(13, "Permission denied", "/etc/cdi"))
    assert capsys.readouterr().err == "linkspan: /etc/cdi: permission denied\n"


def test_an_error_of_the_system_without_a_file_is_its_cause(capsys):
    output.fail(OSError(28, "No space left on device"))
    assert capsys.readouterr().err == "linkspan: no space left on device\n"


def raised():
    with pytest.raises(ZeroDivisionError) as caught:
        print(1 / 0)
    return caught.value


def test_what_nobody_expected_is_a_bug_with_its_place_and_a_way_to_report_it(capsys):
    output.fail(raised())
    printed = capsys.readouterr().err
    assert printed.startswith("linkspan: a bug in linkspan: ZeroDivisionError: division by zero (test_output.py:")
    assert "LINKSPAN_DEBUG=1" in printed
    assert "Traceback" not in printed


def test_an_error_that_was_never_raised_has_no_place(capsys):
    output.fail(ZeroDivisionError("x"))
    assert "(unknown place)" in capsys.readouterr().err


def test_the_traceback_is_there_on_request(capsys, monkeypatch):
    monkeypatch.setenv("LINKSPAN_DEBUG", "1")
    output.fail(raised())
    assert "Traceback (most recent call last):" in capsys.readouterr().err


def test_a_long_message_stays_on_its_line(capsys):
    output.fail(ConfigError("word " * 60))
    assert capsys.readouterr().err.count("\n") == 1


def test_text_in_square_brackets_is_no_markup(capsys):
    output.fail(ConfigError("a list [bold] is not a [string]"))
    output.show(output.table(("[red]",), [("[green]x",)]))
    printed = capsys.readouterr()
    assert "a list [bold] is not a [string]" in printed.err
    assert "[green]x" in printed.out


def test_a_table_folds_what_is_too_wide_and_cuts_nothing_off(capsys):
    text = "x" * 200
    output.show(output.table(("name", "value"), [("a", text)], title="All"))
    printed = capsys.readouterr().out
    assert printed.count("x") == 200
    assert max(map(len, printed.splitlines())) <= 80


def test_json_keeps_the_order_and_other_alphabets(capsys):
    output.show_json({"b": 1, "a": "ä"})
    assert capsys.readouterr().out == '{\n  "b": 1,\n  "a": "ä"\n}\n'


def test_no_colour_without_a_terminal(monkeypatch):
    monkeypatch.delenv("NO_COLOR")
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    output.warn("careful", hint="look")
    assert stream.getvalue() == "linkspan: careful\nhint: look\n"


@pytest.mark.parametrize(("uid", "said"), [(1000, True), (0, False)])
def test_what_is_refused_to_a_user_is_for_root(capsys, monkeypatch, uid, said):
    monkeypatch.setattr(output.os, "geteuid", lambda: uid)
    assert output.fail(KernelError("cannot make the folder /usr/local/bin: Permission denied")) == output.CANNOT_LOOK
    assert ("hint: run the same as root, with sudo" in capsys.readouterr().err) == said
