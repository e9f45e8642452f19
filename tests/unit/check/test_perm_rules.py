"""Rules of permissions: near misses and variants."""

import pytest

from linkspan.sim.failures import perm
from linkspan.sim.guests import gpu_container
from linkspan.sim.machine import Machine
from linkspan.sim.processes import program
from linkspan.sim.spec import SimSpec
from tests.unit.check.examined import PODMAN, found, ids

pytestmark = pytest.mark.allow_subprocess


def test_selinux_that_denied_nothing_is_not_to_blame(tmp_path):
    def happen(machine: Machine) -> None:
        machine.write("/sys/fs/selinux/enforce", "1")
        machine.write("/sys/fs/selinux/booleans/container_use_devices", "0 0")

    assert found(tmp_path, happen, SimSpec(gpus=2, layout="rhel", engines=("podman",))) == []


def test_denials_from_before_the_boolean_was_set_are_over(tmp_path):
    def happen(machine: Machine) -> None:
        perm.FAILURES["D-PERM-1"].happen(machine)
        machine.write("/sys/fs/selinux/booleans/container_use_devices", "1 1")

    assert "D-PERM-1" not in ids(found(tmp_path, happen, SimSpec(gpus=2, layout="rhel", engines=("podman",))))


def test_a_user_who_is_in_the_group_of_the_nodes_may_open_them(tmp_path):
    def happen(machine: Machine) -> None:
        perm.FAILURES["D-PERM-2"].happen(machine)
        machine.append("/proc/2201/status", f"Gid:\t1000\t1000\t1000\t1000\nGroups:\t27 {perm.VIDEO} \n")

    assert "D-PERM-2" not in ids(found(tmp_path, happen, PODMAN))


def test_a_rootless_engine_whose_user_is_not_in_the_group_is_found(tmp_path):
    told = found(tmp_path, lambda machine: perm.close_nodes(machine, perm.VIDEO), perm.ROOTLESS)
    assert [(one.id, one.link, one.about) for one in told if one.id == "D-PERM-2"] == [
        ("D-PERM-2", "nodes", "rootless Docker")
    ]


def test_virtualgl_that_leaves_the_nodes_open_is_in_order(tmp_path):
    def happen(machine: Machine) -> None:
        machine.write("/etc/modprobe.d/virtualgl.conf", "options nvidia NVreg_DeviceFileMode=0666\n")

    assert found(tmp_path, happen) == []


def test_a_user_with_subordinate_ids_may_ignore_chown_errors(tmp_path):
    def happen(machine: Machine) -> None:
        perm.FAILURES["D-PERM-6"].happen(machine)
        machine.write("/etc/subuid", "ada:100000:65536\n")

    assert "D-PERM-6" not in ids(found(tmp_path, happen, PODMAN))


def test_a_privileged_lxc_container_may_write_device_rules(tmp_path):
    def happen(machine: Machine) -> None:
        perm.FAILURES["D-PERM-8"].happen(machine)
        machine.write("/proc/1/uid_map", "         0          0 4294967295\n")

    assert "D-PERM-8" not in ids(found(tmp_path, happen))


def test_a_container_with_a_masked_proc_has_no_sandboxes_anyway(tmp_path):
    def happen(machine: Machine) -> None:
        mounts = ("/proc/driver/nvidia/params", "/proc/kcore", "/proc/keys")
        gpu_container(machine, 2204, files={"/usr/bin/bwrap": program("bwrap")}, mounts=mounts)

    assert "D-PERM-9" not in ids(found(tmp_path, happen))


def test_a_restriction_that_denied_nothing_is_in_order(tmp_path):
    def happen(machine: Machine) -> None:
        machine.write("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n")
        machine.write("/sys/kernel/security/apparmor/profiles", "rootlesskit (unconfined)\n")

    assert found(tmp_path, happen) == []


def test_denials_before_a_container_that_works_are_a_warning(tmp_path):
    def happen(machine: Machine) -> None:
        perm.FAILURES["D-PERM-1"].happen(machine)
        gpu_container(machine, 2210, engine="podman")
        machine.replace("/proc/2210/stat", "6000 0 0", "900000 0 0")

    told = [one for one in found(tmp_path, happen, perm.FAILURES["D-PERM-1"].spec) if one.id == "D-PERM-1"]
    assert [one.severity for one in told] == ["warning"]


def test_a_rootless_docker_that_runs_was_not_denied_its_namespace(tmp_path):
    told = found(tmp_path, perm.FAILURES["D-PERM-10"].happen, perm.ROOTLESS)
    assert "D-PERM-10" not in ids(told)
