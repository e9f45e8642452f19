import json

import msgspec
import pytest

from linkspan.cli.main import run
from linkspan.facts import nvml, snapshot
from tests import hosts
from tests.hosts import char


@pytest.fixture
def saved(tmp_path):
    """The recorded host, saved to a file."""
    snapshot.save(hosts.golden(tmp_path / "root"), str(tmp_path / "saved.json"))
    return str(tmp_path / "saved.json")


def test_json_is_the_whole_model_with_the_gpus(saved, capsys):
    assert run(["facts", "--from", saved, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert msgspec.convert(shown, snapshot.HostFacts) == snapshot.load(saved)
    assert shown["gpus"][2]["index"] == 2
    assert {"index", "minor", "uuid", "name", "pci_bus_id"} <= set(shown["gpus"][0])


def test_the_table_shows_what_people_ask_first(saved, capsys):
    assert run(["facts", "--from", saved]) == 0
    shown = capsys.readouterr().out
    for text in ("550.163.01, CUDA 12.4", "GPU-01000100-0000-0000-0000-000000000007", "8 nvidia0 … 7", "nvidia-smi"):
        assert text in shown
    assert "/proc/driver/nvidia/version is not" in shown
    assert "in two minds" not in shown


def test_saving_while_showing_gives_a_file_that_replays(saved, tmp_path, capsys):
    assert run(["facts", "--from", saved, "--save", f"{tmp_path}/again.json"]) == 0
    assert capsys.readouterr().out
    assert snapshot.load(f"{tmp_path}/again.json") == snapshot.load(saved)


def test_mig_devices_and_conflicts_are_shown(tmp_path, capsys):
    version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.1  Tue\n"
    caps = "gpu0/gi1/access 12\ngpu0/gi1/ci0/access 13\n"
    hosts.make(
        tmp_path,
        {**hosts.driver("560.1"), "/proc/driver/nvidia/version": version, "/proc/driver/nvidia-caps/mig-minors": caps},
    )
    mig = (
        nvml.MigReport(index=0, uuid="MIG-a", name="A100 MIG 1g.5gb", gi=1, memory_mib=4864),
        nvml.MigReport(index=1, uuid="MIG-b", name="A100 MIG 1g.5gb", gi=2),
    )
    gpu = nvml.GpuReport(index=0, minor=0, uuid="GPU-a", name="A100", pci_bus_id="0000:01:00.0", mig=mig)
    report = nvml.Report(driver_version="550.1", gpus=(gpu,))
    facts = hosts.look(tmp_path, {"/dev/nvidia0": char(195, 0)}, ask=lambda _: report)
    snapshot.save(facts, f"{tmp_path}/facts.json")
    assert run(["facts", "--from", f"{tmp_path}/facts.json"]) == 0
    shown = capsys.readouterr().out
    assert "in two minds" in shown
    assert "MIG 1g.5gb" in shown
    assert "cap12 cap13" in shown
    assert "5 GiB" in shown
    assert "proprietary kernel modules" in shown


def test_another_root_is_looked_at(tmp_path, capsys):
    hosts.make(tmp_path, {"/etc/os-release": 'NAME="Test OS"\n', "/proc/devices": "", "/dev/null": ""})
    assert run(["facts", "--driver-root", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "Test OS" in shown
    assert "no NVIDIA driver found" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--driver-root", "/nowhere"],
            "linkspan: /nowhere is not a folder\nhint: --driver-root takes the root of a host\n",
        ),
        (["--from", "/nowhere"], "linkspan: cannot read /nowhere: no such file or directory\n"),
    ],
)
def test_what_cannot_be_looked_at_is_one_sentence(arguments, message, capsys):
    assert run(["facts", *arguments]) == 1
    assert capsys.readouterr().err == message
