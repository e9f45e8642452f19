import pytest

from linkspan.facts.driver import decide
from tests import hosts

VERSION = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.14  Release Build\n"


def choose(**readings):
    return decide(readings, is_open=None, cuda_version="12.4")


def test_the_kernel_module_has_the_first_word_then_nvml_then_the_libraries():
    assert choose(proc="550.1", nvml="550.1", library="550.1").version == "550.1"
    assert choose(nvml="551.1", library="550.1").version == "551.1"
    assert choose(library="550.1").version == "550.1"
    assert choose(proc="", nvml="", library="").version == ""


def test_readings_hold_only_who_answered():
    assert choose(proc="550.1", nvml="", library="550.1").readings == {"proc": "550.1", "library": "550.1"}


def test_two_versions_are_a_conflict_in_one_sentence():
    assert choose(proc="550.54.14", library="560.35.03").conflict == (
        "the loaded kernel module is of driver 550.54.14, the set of libraries on disk of 560.35.03"
    )


@pytest.mark.parametrize(("left", "right"), [("535.05", "535.5"), ("535.104", "535.104.0"), ("odd-1", "odd-1")])
def test_two_spellings_of_a_version_are_no_conflict(left, right):
    assert choose(proc=left, library=right).conflict == ""


def test_versions_that_are_no_numbers_differ_when_their_text_does():
    assert choose(proc="odd-1", library="odd-2").conflict


def test_what_the_kernel_says_is_read_below_the_root(tmp_path):
    hosts.make(
        tmp_path,
        {
            "/proc/driver/nvidia/version": VERSION,
            "/proc/driver/nvidia/params": "ModifyDeviceFiles: 1\n",
            "/proc/driver/nvidia-caps/mig-minors": "config 1\n",
            "/proc/devices": "Character devices:\n  1 mem\n195 nvidia\n510 nvidia-uvm\n",
            "/proc/modules": "nvidia_uvm 1 0 - Live 0x0\nnvidia 1 1 nvidia_uvm, Live 0x0\next4 1 0 - Live 0x0\n",
            "/sys/module/nvidia/version": "550.54.14\n",
            "/etc/os-release": 'ID=debian\n# a comment = none\nPRETTY_NAME="Debian 12"\n',
        },
    )
    facts = hosts.look(tmp_path)
    assert facts.driver.version == "550.54.14"
    assert facts.driver.open_kernel_modules is True
    assert facts.params_modify_device_files
    assert facts.caps == {"config": 1}
    assert facts.majors == {"nvidia": 195, "nvidia-uvm": 510}
    assert [(module.name, module.version, module.used_by) for module in facts.modules] == [
        ("nvidia_uvm", "", ()),
        ("nvidia", "550.54.14", ("nvidia_uvm",)),
    ]
    assert facts.os_release == {"ID": "debian", "PRETTY_NAME": "Debian 12"}


def test_texts_that_cannot_be_read_are_facts_too(tmp_path):
    hosts.make(
        tmp_path,
        {
            "/proc/driver/nvidia/version": "nonsense",
            "/proc/driver/nvidia/params": "nonsense",
            "/proc/driver/nvidia-caps/mig-minors": "nonsense",
            "/proc/devices": "Character devices:\nnonsense",
            "/proc/modules": "nonsense",
        },
    )
    facts = hosts.look(tmp_path)
    assert (facts.driver.version, facts.params_modify_device_files, facts.caps, facts.majors, facts.modules) == (
        *("", False, {}, {}),
        (),
    )
    assert {
        "kernel driver",
        "/proc/driver/nvidia/params",
        "/proc/driver/nvidia-caps/mig-minors",
        "/proc/devices",
        "/proc/modules",
    } <= {item.part for item in facts.missing}


def test_an_empty_folder_is_a_host_without_a_driver(tmp_path):
    facts = hosts.look(tmp_path)
    assert facts.platform == "none"
    assert facts.driver.open_kernel_modules is None
    needed = {item.part for item in facts.missing if not item.optional}
    assert {"driver", "kernel driver", "NVML", "/dev/nvidiactl", "nvidia-smi"} <= needed
