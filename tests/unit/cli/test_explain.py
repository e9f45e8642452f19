import io
import json
import sys

import pytest

from linkspan.cli import explain_pasted, main
from linkspan.errors import HostError
from linkspan.sim import failing

CORE = "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch"
MISMATCH = (
    "docker: Error response from daemon: failed to create shim task: OCI runtime create failed: runc create failed: "
    f"{CORE}: unknown."
)


class Input:
    """Standard input that holds these bytes, and may be a terminal."""

    def __init__(self, data, terminal=False):
        self.buffer = io.BytesIO(data)
        self.terminal = terminal

    def isatty(self):
        return self.terminal


class Broken(Input):
    def __init__(self):
        super().__init__(b"")
        self.buffer = self

    def read(self, _):
        raise OSError(5, "Input/output error")


@pytest.fixture
def explain(capsys, monkeypatch):
    """Run ``linkspan explain``; its exit code, standard output and standard error."""

    def run(*arguments, given=None):
        monkeypatch.setattr(sys, "stdin", Input(given) if isinstance(given, bytes) else given)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(
            explain_pasted, "seen", lambda ids, root: {}
        )  # which failures this machine has, is nobody's
        code = main.run(["explain", *arguments])
        return code, *capsys.readouterr()

    return run


def test_a_known_error_is_told_with_its_reason_its_remedy_and_its_links(explain):
    code, out, err = explain("-", given=f"{MISMATCH}\n".encode())
    assert (code, err) == (0, "")
    assert CORE in [line.strip() for line in out.splitlines()]
    for part in ("D-DRIVER-1", "known by", "why", "tell by", "Reboot", "nvidia-container-toolkit/issues/394"):
        assert part in out


def test_what_it_could_be_as_well_comes_after(explain):
    _, out, _ = explain("--error", 'could not select device driver "" with capabilities: [[gpu]]')
    first, _, rest = out.partition("It could also be")
    assert "D-ENGINE-1" in first
    assert "D-ENGINE-2" not in first
    assert "D-ENGINE-4" in rest


def test_an_unknown_error_is_said_to_be_unknown(explain):
    code, out, err = explain("--error", "Error response from daemon: port is already allocated")
    assert (code, err) == (1, "")
    assert "port is already allocated" in out
    assert "No failure mode that linkspan knows fits this text." in out
    assert "D-" not in out


def test_json_has_the_same_for_programs(explain):
    code, out, _ = explain("-", "--json", given=MISMATCH.encode())
    found = json.loads(out)
    assert code == 0
    assert found["known"] is True
    assert found["layers"] == ["docker", "containerd", "runtime", "runc"]
    assert found["fits"][0]["id"] == "D-DRIVER-1"
    assert found["fits"][0]["matched"] == "driver/library version mismatch"
    assert found["fits"][0]["links"][0].startswith("https://")


def test_json_of_an_unknown_error_says_so(explain):
    code, out, _ = explain("--json", "--error", "something else")
    assert (code, json.loads(out)) == (1, {"known": False, "messages": ["something else"], "here": {}})


def test_our_own_error_is_told_with_its_hint(explain):
    code, out, _ = explain("--error", "linkspan-runtime: no GPU 9; ask for 0 or 1 [device-not-found]")
    assert code == 0
    for part in ("linkspan itself says this", "no GPU 9", "ask for 0 or 1", "device-not-found: a GPU, MIG device"):
        assert part in out


def test_an_empty_option_is_told_in_the_same_way(explain):
    code, out, err = explain("--error", "")
    assert (code, out) == (3, "")
    assert "there is no text to explain" in err


@pytest.mark.parametrize("given", [b"", b"\n \n", b"\x00"])
def test_an_empty_input_is_told_in_a_sentence(explain, given):
    code, out, err = explain("-", given=given)
    assert (code, out) == (3, "")
    assert "linkspan: " in err
    assert "hint: " in err


@pytest.mark.parametrize("given", [bytes(range(256)) * 50, b"\x1f\x8b\x08\x00" + b"\xff\xfe\x01\x02" * 400])
def test_binary_garbage_is_told_in_a_sentence(explain, given):
    code, out, err = explain("-", given=given)
    assert (code, out) == (3, "")
    assert err.startswith("linkspan: this is not text")


def test_a_log_with_colours_and_some_odd_bytes_is_a_text(explain):
    code, _, _ = explain("-", given=b"\x1b[31m" + MISMATCH.encode() + b"\x1b[0m \xff\xfe\n")
    assert code == 0


def test_a_log_that_powershell_wrote_is_read(explain):
    assert explain("-", given=f"{MISMATCH}\r\n".encode("utf-16"))[0] == 0
    assert explain("-", given=f"{MISMATCH}\r\n".encode("utf-8-sig"))[0] == 0


def test_at_a_terminal_it_tells_how_pasting_ends(explain):
    code, _, err = explain("-", given=Input(MISMATCH.encode(), terminal=True))
    assert code == 0
    assert "press Ctrl-D" in err
    code, _, err = explain("-", given=Input(b"", terminal=True))
    assert code == 3
    assert "there is no text to explain" in err


def test_what_cannot_be_read_has_its_own_exit_code(explain):
    code, _, err = explain("-", given=Broken())
    assert code == 3
    assert "input/output error" in err
    code, _, err = explain("-", given=None)
    assert code == 3
    assert "standard input is closed" in err


def test_a_hostile_text_cannot_do_so_in_json_either(explain):
    _, out, _ = explain("--json", "--error", f"{MISMATCH} \x9b31m\u202etxt")
    assert out.isascii()


@pytest.mark.parametrize("arguments", [(), ("-", "--error", "x"), ("--no-such-option",)])
def test_wrong_usage_has_its_exit_code(explain, arguments):
    code, out, err = explain(*arguments, given=b"x")
    assert (code, out) == (2, "")
    assert err.startswith("linkspan: ")


def test_of_a_longer_log_the_beginning_is_read(explain, monkeypatch):
    monkeypatch.setattr(explain_pasted, "SIZE_LIMIT", 1000)
    code, _, err = explain("-", given=MISMATCH.encode() + b" " * 2000)
    assert code == 0
    assert "only the first" in err


def test_a_hostile_text_cannot_write_control_characters_to_the_terminal(explain):
    _, out, _ = explain("--error", f"\x1b]0;title\x07{MISMATCH} \x9b31m\x08\x08")
    assert "\x1b" not in out
    assert "\x9b" not in out
    assert "\x08" not in out


@pytest.mark.allow_subprocess
def test_of_the_failures_that_fit_the_one_that_the_host_has_is_named(tmp_path, capsys, monkeypatch):
    try:
        root = failing.create_failing(str(tmp_path / "host"), "D-DRIVER-1").root
    except HostError:
        pytest.skip("this user may not make device nodes, which a simulated host has")
    monkeypatch.setenv("COLUMNS", "200")
    assert main.run(["explain", "--error", MISMATCH, "--root", root]) == 0
    first, _, rest = capsys.readouterr().out.partition("It could also be")
    assert "this host has it: the loaded kernel module is of driver 550.144.03" in first
    assert "this host has it" not in rest
    assert main.run(["explain", "--error", MISMATCH, "--root", root, "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["here"]) == ["D-DRIVER-1"]
