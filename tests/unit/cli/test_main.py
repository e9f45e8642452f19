import signal
import subprocess
import sys
import types

import pytest
import typer

from linkspan._version import __version__
from linkspan.cli import main, output
from linkspan.errors import HostError

PROGRAM = [sys.executable, "-c", "from linkspan.cli.main import main; main()"]


@pytest.fixture
def subcommand(monkeypatch):
    """Make ``linkspan sim`` a function of the test."""

    def put(function):
        module = types.ModuleType("linkspan.cli.sim")
        module.sim = function
        monkeypatch.setitem(sys.modules, "linkspan.cli.sim", module)

    return put


def test_help_lists_every_subcommand_and_the_exit_codes(capsys):
    assert main.run(["--help"]) == output.OK
    printed = capsys.readouterr().out
    for name, (_, summary) in main.COMMANDS.items():
        assert f"  {name} " in printed
        assert summary in printed
    assert "Exit codes: 0 done;" in printed


def test_help_imports_no_subcommand():
    code = "import sys; from linkspan.cli import main; main.run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = {name for name in done.stderr.split() if name.startswith("linkspan.")}
    assert loaded == {
        "linkspan._version",
        "linkspan.cli",
        "linkspan.cli.main",
        "linkspan.cli.output",
        "linkspan.errors",
    }


def test_every_subcommand_can_be_imported_and_has_help(capsys):
    for name in main.COMMANDS:
        assert main.run([name, "--help"]) == output.OK
        assert f"Usage: linkspan {name}" in capsys.readouterr().out


def test_the_version_is_the_packages(capsys):
    assert main.run(["--version"]) == output.OK
    assert capsys.readouterr().out == f"linkspan {__version__}\n"


def test_without_arguments_help_is_shown_and_the_usage_was_wrong(capsys):
    assert main.run([]) == output.USAGE
    assert capsys.readouterr().err.startswith("Usage: linkspan")


@pytest.mark.parametrize(
    ("argv", "message", "hint"),
    [
        (["fact"], "no such command 'fact'. Did you mean 'facts'?", "linkspan --help"),
        (["--loud"], "no such option: --loud", "linkspan --help"),
        (["config", "show", "--loud"], "no such option: --loud", "linkspan config show --help"),
        (["config", "show", "--config"], "option '--config' requires an argument", "linkspan --help"),
    ],
)
def test_wrong_usage_is_one_sentence_and_where_to_look(argv, message, hint, capsys):
    assert main.run(argv) == output.USAGE
    assert capsys.readouterr().err == f"linkspan: {message}\nhint: see '{hint}'\n"


def test_an_error_of_ours_is_printed_once(subcommand, capsys):
    def sim():
        raise HostError("no driver", hint="install one")

    subcommand(sim)
    assert main.run(["sim"]) == output.FAILED
    assert capsys.readouterr().err == "linkspan: no driver\nhint: install one\n"


def test_an_answer_of_no_is_the_exit_code(subcommand, capsys):
    def sim():
        raise typer.Exit(1)

    subcommand(sim)
    assert main.run(["sim"]) == output.FAILED
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("error", [KeyboardInterrupt, typer.Abort])
def test_an_interruption_is_told_in_a_word(error, subcommand, capsys):
    def sim():
        raise error

    subcommand(sim)
    assert main.run(["sim"]) == output.INTERRUPTED
    assert capsys.readouterr() == ("", "linkspan: interrupted\n")


def test_a_reader_that_has_seen_enough_is_no_error():
    process = subprocess.Popen([*PROGRAM, "config", "show"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == output.FAILED


def test_a_full_disk_is_one_sentence():
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(
            [*PROGRAM, "config", "show"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.stderr == "linkspan: no space left on device\n"
    assert done.returncode == output.CANNOT_LOOK


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_unwinds_first(number):
    code = f"""if True:
        import os, signal, sys, types
        from linkspan.cli import main
        def sim():
            try:
                os.kill(os.getpid(), {int(number)})
                signal.pause()
            finally:
                print("taken down", flush=True)
        sys.modules["linkspan.cli.sim"] = types.SimpleNamespace(sim=sim)
        sys.argv = ["linkspan", "sim"]
        main.main()
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "taken down\n"
    assert done.returncode == 128 + number
    assert done.stderr == ""
