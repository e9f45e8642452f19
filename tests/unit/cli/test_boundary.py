import json

import pytest

from linkspan.cli import boundary
from linkspan.cli.main import run
from tests import hosts
from tests.hosts import LIBRARIES, library

CLEAN = {
    f"{LIBRARIES}/libcudart.so.12.1.105": library("libcudart.so.12"),
    "/usr/local/cuda-12.1/lib/stubs/libcuda.so": library("libcuda.so.1"),
    "/usr/local/cuda-12.1/compat/libcuda.so.530.30.02": library("libcuda.so.1"),
}
NASTY = "/opt/\u202e\x1b[31m\udcff/libcuda.so.1"


def test_an_image_with_all_on_its_side_is_zero(tmp_path, capsys):
    assert run(["boundary", hosts.make(tmp_path, CLEAN)]) == 0
    shown = capsys.readouterr().out
    assert "Nothing is on the wrong side" in shown
    assert "✗" not in shown
    assert "a stub to link against" in shown
    assert "forward compatibility package" in shown.replace("\n", " ")
    assert "12.1.105" in shown


def test_a_driver_in_an_image_is_one_and_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    assert run(["boundary", hosts.make(tmp_path, {**CLEAN, **hosts.driver("550.163.01")})]) == 1
    shown = capsys.readouterr().out
    assert "libcuda.so: on the wrong side, being the host's; it speaks to the kernel module" in shown
    assert f"  {LIBRARIES}/libcuda.so.550.163.01, 688 B\n" in shown
    assert "2 pieces are on the wrong side" in shown


def test_json_has_every_piece(tmp_path, capsys):
    root = hosts.make(tmp_path, {**CLEAN, **hosts.driver("550.163.01")})
    assert run(["boundary", root, "--json"]) == 1
    rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rows["libcuda"]["verdict"] == "wrong side"
    assert rows["libcuda"]["wrong"] == [f"{LIBRARIES}/libcuda.so.550.163.01"]
    kinds = {piece["path"].rpartition("/")[2]: piece["kind"] for piece in rows["libcuda"]["found"]}
    assert kinds == {
        "libcuda.so.1": "link",
        "libcuda.so.550.163.01": "file",
        "libcuda.so": "stub",
        "libcuda.so.530.30.02": "compat",
    }


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_names_of_an_image_cannot_reach_the_terminal(tmp_path, capsys, option):
    assert run(["boundary", hosts.make(tmp_path, {NASTY: library("libcuda.so.1")}), *option]) == 1
    shown = capsys.readouterr().out
    assert r"\u202e" in shown
    assert not set(shown) & {"\u202e", "\x1b", "\udcff"}


@pytest.mark.parametrize(
    ("name", "message"), [("/", "is the root of this host"), ("/no/such", "no folder"), ("4194399", "no process")]
)
def test_what_cannot_be_looked_at_is_three(capsys, name, message):
    assert run(["boundary", name]) == 3
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["x", "--timeout", "0"], ["x", "y"]])
def test_wrong_usage_is_two(arguments):
    assert run(["boundary", *arguments]) == 2


def test_a_survey_that_was_cut_short_is_three_unless_it_found_something_wrong(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(boundary.time, "monotonic", iter(range(0, 1_000_000, 1000)).__next__)
    files = {f"/a/file{number}": "x" for number in range(300)}
    assert run(["boundary", hosts.make(tmp_path, files)]) == 3
    assert "not looked at: the time was over" in capsys.readouterr().err


def test_many_pieces_are_listed_in_part(tmp_path, capsys):
    many = {f"/usr/lib/libnvidia-x{number}.so.550.1.2": library("x") for number in range(30)}
    assert run(["boundary", hosts.make(tmp_path, many)]) == 1
    assert "… and 10 more, with --json" in capsys.readouterr().out
