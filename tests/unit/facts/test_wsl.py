import os

from linkspan.facts import nvml
from tests import hosts
from tests.hosts import char, library

LIB = "/usr/lib/wsl/lib"
STORE = "/usr/lib/wsl/drivers/nv_dispi.inf_amd64_1"


def make(root, store=STORE):
    files = {"libcuda.so.1.1": library("libcuda.so.1"), "libnvidia-ml.so.1": library("libnvidia-ml.so.1")}
    files |= {"nvcubins.bin": "", "nvidia-smi": "", "a.dll": "", "readme.txt": ""}
    tree = {f"{store}/{name}": content for name, content in files.items()}
    return hosts.make(root, tree)


def test_the_driver_store_and_libdxcore_are_the_driver(tmp_path):
    make(tmp_path)
    hosts.make(tmp_path, {f"{LIB}/libdxcore.so": library("libdxcore.so"), f"{LIB}/libnvidia-ml.so.1": library("x")})
    gpu = nvml.GpuReport(index=0, minor=0, uuid="GPU-0", name="RTX 4090", pci_bus_id="0000:01:00.0")
    report = nvml.Report(driver_version="551.61", cuda_version="12.4", gpus=(gpu,))
    facts = hosts.look(tmp_path, {"/dev/dxg": char(10, 127)}, ask=lambda _: report)
    assert facts.platform == "wsl"
    assert facts.wsl_store == STORE
    assert [item.path for item in facts.libraries] == [
        f"{LIB}/libdxcore.so",
        f"{STORE}/libcuda.so.1.1",
        f"{STORE}/libnvidia-ml.so.1",
    ]
    assert [item.path for item in facts.binaries] == [f"{STORE}/nvidia-smi"]
    assert [item.path for item in facts.folders] == [f"{STORE}/nvcubins.bin", f"{STORE}/a.dll"]
    assert facts.driver.version == "551.61"
    assert facts.gpus[0].path == ""
    assert [item.part for item in facts.missing if not item.optional] == []


def test_of_two_driver_stores_the_newer_counts(tmp_path):
    old, new = "/usr/lib/wsl/drivers/nv_z", "/usr/lib/wsl/drivers/nv_a"
    make(tmp_path, old)
    make(tmp_path, new)
    hosts.make(tmp_path, {f"{LIB}/libdxcore.so": library("libdxcore.so")})
    os.utime(f"{tmp_path}{old}/libcuda.so.1.1", (1, 1))
    assert hosts.look(tmp_path).wsl_store == new


def test_a_missing_driver_store_is_said(tmp_path):
    facts = hosts.look(hosts.make(tmp_path, {f"{LIB}/libdxcore.so": library("libdxcore.so")}))
    assert (facts.platform, facts.wsl_store, facts.binaries) == ("wsl", "", ())
    assert {"driver store", "nvidia-smi", "driver"} <= {item.part for item in facts.missing if not item.optional}
