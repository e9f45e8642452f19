"""Rules of the driver: near misses and variants."""

import pytest

from linkspan.sim import toolkit
from linkspan.sim.absence import MODULES, unload
from linkspan.sim.failures import driver, driver_inside
from linkspan.sim.guests import ALL_GPUS, GPU_ENV, LIBRARIES, gpu_container, kept_by_docker
from linkspan.sim.machine import Machine
from linkspan.sim.processes import container
from linkspan.sim.spec import SimSpec, gpus
from tests.unit.check.examined import found, ids

pytestmark = pytest.mark.allow_subprocess


def test_an_unloaded_module_that_is_barred_is_told_with_the_line_that_bars_it(tmp_path):
    def happen(machine: Machine) -> None:
        unload(machine)
        machine.write("/etc/modprobe.d/gaming.conf", "# no GPU for now\nblacklist nvidia\n")

    one = found(tmp_path, happen)[0]
    assert (one.id, one.link) == ("D-DRIVER-5", "module")
    assert "/etc/modprobe.d/gaming.conf has 'blacklist nvidia'" in one.cause


def test_gpus_that_were_given_to_a_virtual_machine_need_no_driver(tmp_path):
    def happen(machine: Machine) -> None:
        unload(machine)
        for gpu in gpus(machine.spec):
            machine.link(f"/sys/bus/pci/devices/{gpu.bus_id}/driver", "../../../bus/pci/drivers/vfio-pci")
        machine.remove(f"{MODULES}/updates")

    assert not {"D-DRIVER-3", "D-DRIVER-5", "D-DRIVER-6", "D-DRIVER-13"} & set(ids(found(tmp_path, happen)))


def test_a_module_of_ubuntus_signed_packages_is_found_on_disk(tmp_path):
    def happen(machine: Machine) -> None:
        unload(machine)
        machine.remove(f"{MODULES}/updates")
        machine.write(f"{MODULES}/kernel/nvidia-550/nvidia.ko.zst", "nvidia.ko")

    one = found(tmp_path, happen)[0]
    assert one.id == "D-DRIVER-5"
    assert "on disk" in one.cause


def test_secure_boot_with_a_loaded_module_is_no_failure(tmp_path):
    def happen(machine: Machine) -> None:
        machine.write(driver.SECURE_BOOT, b"\x06\x00\x00\x00\x01")

    assert found(tmp_path, happen) == []


def test_what_a_gpu_suffered_before_the_driver_was_loaded_anew_is_over(tmp_path):
    def happen(machine: Machine) -> None:
        where = gpus(machine.spec)[0].bus_id.removesuffix(".0")
        xid = f"NVRM: Xid (PCI:{where}): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)"
        driver.log(machine, xid)
        driver.log(machine)

    assert found(tmp_path, happen) == []


def test_a_gpu_that_was_reset_since_is_in_order(tmp_path):
    def happen(machine: Machine) -> None:
        where = gpus(machine.spec)[0].bus_id.removesuffix(".0")
        action = f"NVRM: Xid (PCI:{where}): 154, GPU recovery action changed from"
        driver.log(
            machine,
            f"{action} 0x0 (None) to 0x1 (GPU Reset Required)",
            f"{action} 0x1 (GPU Reset Required) to 0x0 (None)",
        )

    assert found(tmp_path, happen) == []


def test_an_application_that_crashed_is_no_fault_of_its_gpu(tmp_path):
    def happen(machine: Machine) -> None:
        where = gpus(machine.spec)[0].bus_id.removesuffix(".0")
        driver.log(machine, f"NVRM: Xid (PCI:{where}): 31, pid=4711, name=python3, Ch 00000008, MMU Fault: ENGINE")

    assert found(tmp_path, happen) == []


def test_switches_that_gpus_were_told_to_do_without_need_no_fabric_manager(tmp_path):
    def happen(machine: Machine) -> None:
        machine.remove("/proc/420")
        machine.append("/proc/driver/nvidia/params", "NvLinkDisable: 1\n")

    assert found(tmp_path, happen, SimSpec(gpus=8, nvswitches=4, engines=("docker",))) == []


def test_a_fabric_manager_of_another_version_breaks_the_version_link(tmp_path):
    def happen(machine: Machine) -> None:
        machine.replace("/var/lib/dpkg/status", f"Version: {machine.spec.driver_version}-1", "Version: 535.183.01-1")

    told = found(tmp_path, happen, SimSpec(gpus=8, nvswitches=4, engines=("docker",)))
    assert [(one.id, one.link) for one in told] == [("D-DRIVER-9", "version")]


def test_a_fabric_manager_without_switches_that_says_nothing_is_not_worth_a_word(tmp_path):
    def happen(machine: Machine) -> None:
        stanza = "Package: nvidia-fabricmanager\nStatus: install ok installed\nVersion: 550.163.01-1\n\n"
        machine.append("/var/lib/dpkg/status", stanza)

    assert found(tmp_path, happen) == []


def test_memory_without_room_that_was_worked_around_is_no_failure(tmp_path):
    def happen(machine: Machine) -> None:
        driver.FAILURES["D-DRIVER-11"].happen(machine)
        machine.write("/etc/modprobe.d/uvm.conf", "options nvidia_uvm uvm_disable_hmm=1\n")

    assert found(tmp_path, happen) == []


def test_a_node_of_modeset_that_nobody_asks_for_is_not_missed(tmp_path):
    def happen(machine: Machine) -> None:
        machine.remove("/dev/nvidia-modeset", "/dev/char/195:254")
        gpu_container(machine, 2001)

    assert "D-DRIVER-19" not in ids(found(tmp_path, happen))


def test_a_container_made_with_files_of_this_driver_is_in_order(tmp_path):
    def happen(machine: Machine) -> None:
        library = f"{LIBRARIES}/libcuda.so.{machine.spec.driver_version}"
        kept_by_docker(machine, 41, "mine", mounts={library: library, "/data": "/srv/data.so.1"})

    assert "D-DRIVER-2" not in ids(found(tmp_path, happen))


def test_a_running_container_that_keeps_an_old_libcuda_in_its_own_layer_is_found(tmp_path):
    def happen(machine: Machine) -> None:
        upper = "/var/lib/docker/overlay2/51ab/diff"
        gpu_container(machine, 2005, stems=("libnvidia-ml",))
        old = {f"{LIBRARIES}/libcuda.so.550.144.03": b"\x7fELF", f"{LIBRARIES}/libcuda.so.1": b""}
        for path, content in list(old.items())[:1]:
            machine.write(f"/proc/2005/root{path}", content)
            machine.write(f"{upper}{path}", content)
        machine.link(f"/proc/2005/root{LIBRARIES}/libcuda.so.1", "libcuda.so.550.144.03")
        machine.replace("/proc/2005/mountinfo", "rw,lowerdir=", f"rw,upperdir={upper},lowerdir=")

    told = [one for one in found(tmp_path, happen) if one.id == "D-DRIVER-2"]
    assert [one.evidence[0].value for one in told] == ["550.144.03"]


def test_a_time_out_with_the_daemon_running_has_another_cause(tmp_path):
    def happen(machine: Machine) -> None:
        error = driver_inside.hook_error("initialization error: driver rpc error: timed out")
        kept_by_docker(machine, 42, "train", error=error, env=GPU_ENV, requests=[ALL_GPUS])

    assert "D-DRIVER-8" not in ids(found(tmp_path, happen))


def test_all_imex_channels_of_a_host_without_any_are_none(tmp_path):
    def happen(machine: Machine) -> None:
        gpu_container(machine, 2101, env={"NVIDIA_IMEX_CHANNELS": "all"})

    assert not {"D-DRIVER-16", "D-DRIVER-17"} & set(ids(found(tmp_path, happen)))


def test_a_cpuset_that_somebody_made_small_is_not_the_gpus_memory(tmp_path):
    def happen(machine: Machine) -> None:
        machine.remove("/sys/fs/cgroup/cgroup.controllers")
        machine.write("/sys/fs/cgroup/cpuset/cpuset.mems", "0,8\n")
        machine.write("/sys/fs/cgroup/cpuset/docker/cpuset.mems", "0\n")

    assert "D-DRIVER-15" not in ids(found(tmp_path, happen))


def test_a_gpu_that_sleeps_is_not_lost(tmp_path):
    def happen(machine: Machine) -> None:
        folder = f"/sys/bus/pci/devices/{gpus(machine.spec)[0].bus_id}"
        machine.write(f"{folder}/config", b"\xff" * 64)
        machine.write(f"{folder}/power/runtime_status", "suspended\n")

    assert found(tmp_path, happen) == []


def test_a_gpu_that_the_driver_was_told_to_leave_alone_needs_no_node(tmp_path):
    def happen(machine: Machine) -> None:
        information = f"/proc/driver/nvidia/gpus/{gpus(machine.spec)[1].bus_id}/information"
        machine.replace(information, "GPU Excluded:\t No", "GPU Excluded:\t Yes")
        machine.remove("/dev/nvidia1", "/dev/char/195:1")

    assert "D-DRIVER-18" not in ids(found(tmp_path, happen))


def test_nodes_of_a_driver_that_lives_in_a_container_are_not_missed_on_the_host(tmp_path):
    def happen(machine: Machine) -> None:
        machine.remove("/dev/nvidia*", "/dev/char/*", f"{LIBRARIES}/libcuda*", f"{LIBRARIES}/libnvidia-ml*")
        machine.write("/run/nvidia/driver/dev/null", "")

    assert not {"D-DRIVER-3", "D-DRIVER-4", "D-DRIVER-18"} & set(ids(found(tmp_path, happen)))


def test_nodes_of_other_parts_of_the_driver_have_numbers_of_their_own(tmp_path):
    def happen(machine: Machine) -> None:
        machine.node("/dev/nvidia-nvlink", 504, 0)
        machine.link("/dev/char/504:0", "../nvidia-nvlink")
        machine.replace("/proc/devices", "195 nvidia\n", "195 nvidia\n504 nvidia-nvlink\n")

    assert found(tmp_path, happen) == []


def test_what_nvidias_hook_makes_at_the_first_start_is_only_told(tmp_path):
    def happen(machine: Machine) -> None:
        toolkit.install(machine)
        machine.remove("/dev/nvidia*", "/dev/char/*")

    told = [one for one in found(tmp_path, happen) if one.id == "D-DRIVER-18"]
    assert [one.severity for one in told] == ["info"]


def test_a_fabric_manager_in_a_container_is_not_that_of_the_package(tmp_path):
    def happen(machine: Machine) -> None:
        machine.replace("/var/lib/dpkg/status", f"Version: {machine.spec.driver_version}-1", "Version: 535.183.01-1")
        machine.remove("/proc/420")
        machine.put(container(421, engine="kubernetes", argv=("nv-fabricmanager", "-c", "/fm.cfg")))

    assert found(tmp_path, happen, SimSpec(gpus=8, nvswitches=4, engines=("docker",))) == []


@pytest.mark.parametrize(
    ("action", "command"),
    [("0x1 (GPU Reset Required)", "nvidia-smi --gpu-reset"), ("0x2 (Node Reboot Required)", "systemctl reboot")],
)
def test_a_reset_that_no_start_failed_for_may_have_been_done_since(tmp_path, action, command):
    def happen(machine: Machine) -> None:
        where = gpus(machine.spec)[0].bus_id.removesuffix(".0")
        driver.log(machine, f"NVRM: Xid (PCI:{where}): 154, GPU recovery action changed from 0x0 (None) to {action}")

    told = found(tmp_path, happen)
    assert [(one.id, one.severity) for one in told] == [("D-DRIVER-21", "warning")]
    assert told[0].remedy.commands[0].startswith(command)


def test_peers_that_are_to_be_drained_keep_no_container_from_starting(tmp_path):
    def happen(machine: Machine) -> None:
        where = gpus(machine.spec)[0].bus_id.removesuffix(".0")
        driver.log(
            machine, f"NVRM: Xid (PCI:{where}): 154, GPU recovery action changed from 0x0 (None) to 0x3 (Drain P2P)"
        )

    assert found(tmp_path, happen) == []
