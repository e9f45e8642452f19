import json
import os
from pathlib import Path

import pytest

from linkspan.cli.main import run


@pytest.fixture(autouse=True)
def _nodes_as_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "mknod", lambda path, *_: Path(path).touch())
    monkeypatch.setenv("COLUMNS", "200")


def sim(*arguments: object) -> int:
    return run(["sim", *map(str, arguments)])


def test_a_host_is_made_hurt_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "host"
    assert sim("create", root, "--gpus", 8, "--model", "H100", "--driver", "550.163.01") == 0
    assert capsys.readouterr().out == f"{root}: 8 x NVIDIA H100 80GB HBM3, driver 550.163.01\n"
    assert sim("inject", root, "no-uvm") == 0
    assert capsys.readouterr().out.endswith(", with no-uvm\n")
    assert not (root / "dev/nvidia-uvm").exists()
    assert sim("remove", root) == 0
    assert capsys.readouterr().out == f"{root}: removed\n"
    assert not root.exists()


def test_options_say_what_to_simulate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--gpus=2", "--mig=3g.40gb,1g.10gb", "--mig-on=1", "--fault=no-uvm,lost-gpu=1", "--drm", "--layout=rhel"]
    assert sim("create", tmp_path, *options, "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert made["root"] == str(tmp_path)
    assert made["spec"]["mig"] == ["3g.40gb", "1g.10gb"]
    assert made["spec"]["mig_on"] == [1]
    assert made["spec"]["faults"] == ["no-uvm", "lost-gpu=1"]
    assert "/usr/lib64/libcuda.so.1" in made["paths"]
    assert "/dev/dri/card1" in made["paths"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layout=slackware"], "no layout slackware"),
        (["--mig=1g.10gb", "--mig-on=first"], "'first' is not the index of a GPU"),
        (["--model=RTX"], "no GPU model RTX"),
        (["--imex-channels=5000"], "5000 IMEX channels and 0 NVSwitches asked for"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert sim("create", tmp_path / "host", *options) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.splitlines()[0]) == ("", f"linkspan: {message}")
    assert not (tmp_path / "host").exists()


def test_faults_and_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert sim("faults") == 0
    assert "lost-gpu[=N]" in capsys.readouterr().out
    assert sim("faults", "--json") == 0
    assert "driver-mismatch" in json.loads(capsys.readouterr().out)
    assert sim("models") == 0
    assert "143771 MiB" in capsys.readouterr().out
    assert sim("models", "--json") == 0
    assert json.loads(capsys.readouterr().out)["T4"] == []
