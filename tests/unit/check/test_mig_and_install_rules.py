"""Rules of MIG and of package sources: near misses and variants."""

import os

import pytest

from linkspan.sim.absence import MODULES
from linkspan.sim.failures import driver
from linkspan.sim.guests import kept_by_docker
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.spec import SimSpec
from tests.unit.check.examined import found

pytestmark = pytest.mark.allow_subprocess


def test_a_mig_device_that_is_only_asked_for_by_its_old_name_is_a_warning(tmp_path):
    def happen(machine: Machine) -> None:
        kept_by_docker(machine, 61, "infer", env={"NVIDIA_VISIBLE_DEVICES": "MIG-GPU-01000100-0000-0000-0000-0/1/0"})

    told = [one for one in found(tmp_path, happen) if one.id == "D-MIG-1"]
    assert [one.severity for one in told] == ["warning"]


LIST = "/etc/apt/sources.list.d/nvidia-container-toolkit.list"
STANZA = "/etc/apt/sources.list.d/nvidia.sources"
KEY = "/usr/share/keyrings/nvidia.gpg"
ENTRY = "https://nvidia.github.io/libnvidia-container/stable/deb/$(ARCH) /\n"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({LIST: "<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n"}, "holds a page of the server's"),
        ({LIST: "# Unsupported distribution!\n# Check https://nvidia.github.io/libnvidia-container\n"}, "holds a page"),
        ({LIST: f"deb [signed-by={KEY}] {ENTRY}"}, "is not there"),
        ({LIST: f"deb [signed-by={KEY}] {ENTRY}", KEY: ""}, "is empty"),
        (
            {STANZA: f"Types: deb\nURIs: {ENTRY[:-3]}\nSigned-By: {KEY}\n"},
            "is not there",
        ),
    ],
)
def test_a_source_of_packages_that_cannot_be_read_is_told_once(tmp_path, files, said):
    def happen(machine: Machine) -> None:
        for path, content in files.items():
            machine.write(path, content)

    told = found(tmp_path, happen)
    assert [(one.id, one.severity) for one in told] == [("D-INSTALL-1", "warning")]
    assert said in told[0].cause


def test_a_keyring_that_apt_may_not_read_is_told_with_its_mode(tmp_path):
    def happen(machine: Machine) -> None:
        machine.write(LIST, f"deb [signed-by={KEY}] {ENTRY}")
        machine.write(KEY, b"key", mode=0o600)

    assert "of mode 0600" in found(tmp_path, happen)[0].cause


def test_a_source_of_packages_that_is_in_order_is_not_worth_a_word(tmp_path):
    def happen(machine: Machine) -> None:
        machine.write(LIST, f"#deb {ENTRY}deb [signed-by={KEY}] {ENTRY}")
        machine.write(KEY, b"key")
        machine.write(
            "/etc/apt/sources.list.d/docker.list", "deb https://download.docker.com/linux/debian trixie stable\n"
        )

    assert found(tmp_path, happen) == []


def test_a_failure_of_ours_is_never_told_of_a_mig_host_in_order(tmp_path):
    spec = SimSpec(gpus=2, model="A100", mig=("3g.20gb", "2g.10gb"), engines=("docker", "podman"))
    assert found(tmp_path, lambda machine: os.stat(machine.root), spec) == []


def test_hostile_files_cost_nothing_but_their_answer(tmp_path):
    """Nothing of these may raise: a rule that does says nothing, and that is a bug."""

    def happen(machine: Machine) -> None:
        driver.log(machine, "NVRM: Xid (PCI:zz:zz): 79", "NVRM: Xid (PCI:0000:1a:00): 99999999999999999999, x")
        machine.write("/etc/group", "::::\nvideo\n", changed=RECENTLY)
        machine.write(LIST, b"\xff\xfe\x00deb https://nvidia.github.io/ \x00")
        machine.write("/proc/driver/nvidia/gpus/0000:1a:00.0/numa_status", "Node: x\nStatus online\n")
        machine.write("/proc/driver/nvidia/capabilities/gpu0/mig/gi1/access", "no colon here\n")
        machine.write("/etc/subuid", ":::\n")
        machine.write(f"{MODULES}/modules.dep", "nvidia" * 4096)

    found(tmp_path, happen)
