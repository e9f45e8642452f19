import ctypes.util
import sys

import pytest

from linkspan.facts import nvml
from linkspan.facts.host import Search
from tests import hosts
from tests.hosts import LIBRARIES, char, driver

V = "550.163.01"
INFORMATION = """\
Model: \t\t NVIDIA H100 80GB HBM3
GPU UUID: \t {uuid}
Bus Location: \t {bus}
Device Minor: \t {minor}
"""


def gpu(index=0, minor=0, **more):
    return nvml.GpuReport(
        index=index, minor=minor, uuid=f"GPU-{index}", name="NVIDIA H100", pci_bus_id=f"0000:0{index}:00.0", **more
    )


def look(root, *gpus, nodes=None, errors=()):
    hosts.make(root, driver(V))
    report = nvml.Report(driver_version=V, cuda_version="12.4", gpus=gpus, errors=errors)
    return hosts.look(root, nodes, ask=lambda _: report)


def test_a_gpu_is_what_nvml_says_with_the_node_of_its_minor(tmp_path):
    report = gpu(0, 3, brand=14, architecture=9, memory_mib=81559, compute_capability="9.0")
    (found,) = look(tmp_path, report, nodes={"/dev/nvidia3": char(195, 3)}).gpus
    assert (found.index, found.minor, found.path, found.uuid) == (0, 3, "/dev/nvidia3", "GPU-0")
    assert (found.pci_bus_id, found.brand, found.architecture) == ("00000000:00:00.0", "Nvidia", "Hopper")
    assert (found.memory_mib, found.compute_capability, found.mig_enabled) == (81559, "9.0", False)


def test_numbers_that_are_not_known_yet_stay_empty(tmp_path):
    (found,) = look(tmp_path, gpu(brand=99, architecture=99)).gpus
    assert (found.brand, found.architecture) == ("", "")


def test_a_gpu_without_its_node_has_no_path_and_is_missed(tmp_path):
    facts = look(tmp_path, gpu(0, 3))
    assert facts.gpus[0].path == ""
    assert ("/dev/nvidia3", "GPU 0 (GPU-0) has no device node") in [(item.part, item.reason) for item in facts.missing]


def test_mig_devices_come_with_the_nodes_that_open_them(tmp_path):
    hosts.make(
        tmp_path,
        {"/proc/driver/nvidia-caps/mig-minors": "gpu3/gi1/access 102\ngpu3/gi1/ci0/access 103\ngpu0/gi1/access 7\n"},
    )
    devices = (
        nvml.MigReport(index=0, uuid="MIG-a", name="NVIDIA H100 MIG 1g.10gb", gi=1, ci=0, memory_mib=9984),
        nvml.MigReport(index=2, uuid="MIG-b", name="NVIDIA H100 MIG 1g.12gb+gfx", gi=2, ci=0),
    )
    facts = look(tmp_path, gpu(0, 3, mig_enabled=True, mig=devices))
    first, second = facts.gpus[0].mig
    assert (first.index, first.uuid, first.profile, first.gi, first.ci) == (0, "MIG-a", "1g.10gb", 1, 0)
    assert (first.graphics, first.memory_mib) == (False, 9984)
    assert first.access == ("/dev/nvidia-caps/nvidia-cap102", "/dev/nvidia-caps/nvidia-cap103")
    assert (second.profile, second.graphics, second.access) == ("1g.12gb+gfx", True, ())
    assert any(item.part == "MIG device MIG-b" for item in facts.missing)


def test_without_nvml_the_kernel_module_tells_of_the_gpus(tmp_path):
    for number, (bus, uuid) in enumerate([("0000:1a:00.0", "GPU-abc"), ("0000:0b:00.0", "GPU-????????-????")]):
        text = INFORMATION.format(bus=bus, uuid=uuid, minor=number)
        hosts.make(tmp_path, {f"/proc/driver/nvidia/gpus/{bus}/information": text})
    facts = hosts.look(tmp_path, {"/dev/nvidia0": char(195, 0)})
    assert [(item.index, item.minor, item.uuid, item.pci_bus_id, item.path) for item in facts.gpus] == [
        (0, 1, "", "00000000:0B:00.0", ""),
        (1, 0, "GPU-abc", "00000000:1A:00.0", "/dev/nvidia0"),
    ]
    assert facts.gpus[1].name == "NVIDIA H100 80GB HBM3"


@pytest.mark.parametrize("text", ["nonsense", "Model: X\n", "Device Minor: x\nBus Location: 0000:01:00.0\n"])
def test_a_gpu_text_that_says_too_little_is_a_missing_part(tmp_path, text):
    hosts.make(tmp_path, {"/proc/driver/nvidia/gpus/0000:01:00.0/information": text})
    facts = hosts.look(tmp_path)
    assert facts.gpus == ()
    assert any(item.part == "/proc/driver/nvidia/gpus/0000:01:00.0/information" for item in facts.missing)


def test_a_gpu_that_only_the_kernel_module_has_is_missed(tmp_path):
    text = INFORMATION.format(bus="0000:09:00.0", uuid="GPU-9", minor=9)
    hosts.make(tmp_path, {"/proc/driver/nvidia/gpus/0000:09:00.0/information": text})
    facts = look(tmp_path, gpu())
    assert len(facts.gpus) == 1
    (missed,) = (item for item in facts.missing if item.part == "GPU 0000:09:00.0")
    assert missed.reason == "the kernel module has it, but NVML does not show it, since there is no /dev/nvidia9"


def test_nvml_that_fails_on_one_gpu_still_tells_of_the_others(tmp_path):
    facts = look(tmp_path, gpu(), errors=("GPU 1: GPU is lost",))
    assert [item.index for item in facts.gpus] == [0]
    assert any(item.part == "NVML" and item.reason.endswith("GPU 1: GPU is lost") for item in facts.missing)


def test_the_library_of_that_root_is_asked_by_its_real_file(tmp_path):
    asked = []
    hosts.make(tmp_path, driver(V))
    hosts.look(tmp_path, ask=lambda path: asked.append(path) or nvml.Report(driver_version=V))
    assert asked == [f"{tmp_path}{LIBRARIES}/libnvidia-ml.so.{V}"]


def test_nvml_is_not_asked_where_that_is_not_wanted(tmp_path):
    hosts.make(tmp_path, driver(V))
    facts = hosts.look(tmp_path, ask=lambda _: pytest.fail("asked"), search=Search(root=str(tmp_path), nvml=False))
    assert facts.driver.version == V


@pytest.mark.allow_subprocess
def test_a_file_that_is_no_library_is_an_error_and_no_exception(tmp_path):
    (tmp_path / "libnvidia-ml.so.1").write_text("not a library")
    report = nvml.ask(str(tmp_path / "libnvidia-ml.so.1"))
    assert not report.answered
    assert "libnvidia-ml.so.1" in report.errors[0]


@pytest.mark.allow_subprocess
def test_a_library_that_is_not_nvml_is_an_error_and_no_exception():
    libc = ctypes.util.find_library("c")
    assert libc
    assert nvml.ask(libc).errors == ("Function Not Found",)


@pytest.mark.allow_subprocess
@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by signal SIGSEGV"),
        ("print('hello')", "disturbed its own answer"),
        ("import time; time.sleep(60)", "did not end within"),
    ],
)
def test_a_library_that_crashes_or_hangs_or_talks_takes_nothing_with_it(tmp_path, monkeypatch, program, error):
    (tmp_path / "program.py").write_text(program)
    monkeypatch.setattr(nvml, "_PROGRAM", str(tmp_path / "program.py"))
    monkeypatch.setattr(nvml, "TIMEOUT_S", 1.0)
    (found,) = nvml.ask("library").errors
    assert error in found
    assert sys.executable not in found
