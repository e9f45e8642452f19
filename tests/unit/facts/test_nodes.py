import os

from linkspan.facts import nvml
from linkspan.facts.host import LiveHost
from linkspan.facts.model import Link
from linkspan.facts.nodes import node, sysfs_bus_id
from tests import hosts
from tests.hosts import char


def one_gpu(bus_id="00000000:1A:00.0"):
    gpu = nvml.GpuReport(index=0, minor=0, uuid="GPU-0", name="NVIDIA T4", pci_bus_id=bus_id)
    return lambda _: nvml.Report(driver_version="550.1", gpus=(gpu,))


def test_every_node_of_the_stack_is_listed_in_natural_order(tmp_path):
    paths = ["/dev/nvidia10", "/dev/nvidia2", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-caps/nvidia-cap12"]
    paths += ["/dev/nvidia-caps-imex-channels/channel0", "/dev/infiniband/uverbs0", "/dev/infiniband/rdma_cm"]
    paths += ["/dev/gdrdrv", "/dev/nvidia-fs0", "/dev/nvidia-nvswitchctl"]
    facts = hosts.look(tmp_path, {path: char(195, index) for index, path in enumerate(paths)})
    found = [item.path for item in facts.devices]
    assert sorted(found) == sorted(paths)
    assert found.index("/dev/nvidia2") < found.index("/dev/nvidia10")


def test_numbers_mode_and_owner_are_those_of_the_node(tmp_path):
    (found,) = hosts.look(tmp_path, {"/dev/nvidia0": char(195, 0, 0o660, gid=44)}).devices
    assert (found.path, found.host_path) == ("/dev/nvidia0", f"{tmp_path}/dev/nvidia0")
    assert (found.major, found.minor, found.mode, found.gid) == (195, 0, 0o660, 44)


def test_what_is_no_character_device_is_no_node(tmp_path):
    hosts.make(tmp_path, {"/dev/nvidia0": "a file", "/dev/nvidia1": "-> nvidia0", "/dev/nvidia-caps/x": ""})
    assert hosts.look(tmp_path).devices == ()


def test_a_real_character_device_is_read_by_lstat():
    found = node(LiveHost("/"), "/dev/null")
    assert found is not None
    device = os.stat("/dev/null").st_rdev
    assert (found.major, found.minor) == (os.major(device), os.minor(device))


def test_missing_control_nodes_are_needed_and_others_optional(tmp_path):
    facts = hosts.look(tmp_path, {"/dev/nvidiactl": char(195, 255)})
    missing = {item.part: item.optional for item in facts.missing}
    assert missing["/dev/nvidia-uvm"] is False
    assert missing["GDS"] is missing["IMEX channels"] is missing["NVSwitch"] is True
    assert "/dev/nvidiactl" not in missing


def test_drm_nodes_are_those_of_the_pci_address(tmp_path):
    drm = "/sys/bus/pci/devices/0000:1a:00.0/drm"
    hosts.make(
        tmp_path,
        {
            f"{drm}/card1/dev": "",
            f"{drm}/renderD128/dev": "",
            f"{drm}/controlD65/dev": "",
            "/dev/dri/by-path/pci-0000:1a:00.0-card": "-> ../card1",
            "/dev/dri/by-path/pci-0000:1a:00.0-render": "-> ../renderD200",
        },
    )
    nodes = {"/dev/dri/card1": char(226, 1), "/dev/dri/renderD128": char(226, 128), "/dev/dri/card0": char(226, 0)}
    facts = hosts.look(tmp_path, nodes, ask=one_gpu(), search=None)
    assert facts.gpus == ()  # there is no NVML library to ask
    hosts.make(tmp_path, hosts.driver("550.1"))
    facts = hosts.look(tmp_path, nodes, ask=one_gpu())
    assert facts.gpus[0].drm == ("/dev/dri/card1", "/dev/dri/renderD128")
    assert facts.gpus[0].by_path == (Link(path="/dev/dri/by-path/pci-0000:1a:00.0-card", target="../card1"),)
    assert [item.path for item in facts.devices] == ["/dev/dri/card1", "/dev/dri/renderD128"]


def test_sysfs_writes_a_domain_with_four_digits_or_more():
    assert sysfs_bus_id("00000000:1A:00.0") == "0000:1a:00.0"
    assert sysfs_bus_id("0009:01:00.0") == "0009:01:00.0"
    assert sysfs_bus_id("00010000:C1:00.0") == "10000:c1:00.0"
