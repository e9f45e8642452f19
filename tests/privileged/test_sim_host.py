"""The simulated host as programs see it: nvidia-ml-py, a program on libcuda, our nvidia-smi and Debian's real one."""

import contextlib
import ctypes
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from linkspan.errors import HostError
from linkspan.sim.create import create, inject, remove
from linkspan.sim.spec import SimSpec, gpus
from tests import driver_files, mounts
from tests.debian import UnavailableError

pytestmark = pytest.mark.privileged

LIBRARIES = f"usr/lib/{platform.machine()}-linux-gnu"
QUERY = "--query-gpu=index,uuid,name,pci.bus_id,memory.total,compute_cap,driver_version"

ASK_NVML = """
import json, pynvml as nvml
def text(value):
    return value.decode() if isinstance(value, bytes) else value
def tried(function, *arguments):
    try:
        return function(*arguments)
    except nvml.NVMLError as error:
        return str(error)
def describe_mig(mig):
    return {
        "uuid": text(nvml.nvmlDeviceGetUUID(mig)),
        "name": text(nvml.nvmlDeviceGetName(mig)),
        "gi": nvml.nvmlDeviceGetGpuInstanceId(mig),
        "ci": nvml.nvmlDeviceGetComputeInstanceId(mig),
        "is_mig": bool(nvml.nvmlDeviceIsMigDeviceHandle(mig)),
        "parent": nvml.nvmlDeviceGetIndex(nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(mig)),
        "memory_mib": nvml.nvmlDeviceGetAttributes_v2(mig).memorySizeMB,
        "slices": nvml.nvmlDeviceGetAttributes_v2(mig).gpuInstanceSliceCount,
    }
def describe(device):
    pci = nvml.nvmlDeviceGetPciInfo(device)
    migs = []
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(device)):
        try:
            migs.append(describe_mig(nvml.nvmlDeviceGetMigDeviceHandleByIndex(device, index)))
        except nvml.NVMLError_NotFound:
            break
    return {
        "index": nvml.nvmlDeviceGetIndex(device),
        "minor": nvml.nvmlDeviceGetMinorNumber(device),
        "uuid": text(nvml.nvmlDeviceGetUUID(device)),
        "name": text(nvml.nvmlDeviceGetName(device)),
        "bus": text(pci.busId),
        "device": pci.pciDeviceId,
        "subsystem": pci.pciSubSystemId,
        "memory_mib": nvml.nvmlDeviceGetMemoryInfo(device).total >> 20,
        "capability": list(nvml.nvmlDeviceGetCudaComputeCapability(device)),
        "architecture": nvml.nvmlDeviceGetArchitecture(device),
        "mig_mode": tried(nvml.nvmlDeviceGetMigMode, device),
        "same": [
            nvml.nvmlDeviceGetIndex(nvml.nvmlDeviceGetHandleByUUID(nvml.nvmlDeviceGetUUID(device))),
            nvml.nvmlDeviceGetIndex(nvml.nvmlDeviceGetHandleByPciBusId(pci.busId)),
        ],
        "migs": migs,
    }
def answer():
    nvml.nvmlInit()
    found = {
        "driver": text(nvml.nvmlSystemGetDriverVersion()),
        "cuda": nvml.nvmlSystemGetCudaDriverVersion_v2(),
        "nvml": text(nvml.nvmlSystemGetNVMLVersion()),
        "gpus": [],
    }
    for index in range(nvml.nvmlDeviceGetCount()):
        handle = tried(nvml.nvmlDeviceGetHandleByIndex, index)
        found["gpus"].append(handle if isinstance(handle, str) else describe(handle))
    nvml.nvmlShutdown()
    return found
print(json.dumps(tried(answer)))
"""


@contextlib.contextmanager
def host(folder: Path, spec: SimSpec) -> Iterator[Path]:
    with _or_skip():
        create(str(folder), spec)
    try:
        yield folder
    finally:
        remove(str(folder))


@contextlib.contextmanager
def _or_skip() -> Iterator[None]:
    if os.geteuid():
        raise UnavailableError("device nodes can only be made by root")
    yield


def run(root: Path, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
    settings = {"LD_LIBRARY_PATH": str(root / LIBRARIES), **env}
    return subprocess.run(argv, env=settings, capture_output=True, text=True, timeout=20, check=False)


def nvml(root: Path, **env: str) -> dict:
    done = run(root, sys.executable, "-c", ASK_NVML, **env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def uuids(root: Path, **env: str) -> list[str]:
    return [gpu["uuid"] for gpu in nvml(root, **env)["gpus"]]


@pytest.mark.parametrize("model", ["T4", "A100", "A100-80GB", "L40S", "H100", "H200", "B200", "GB200"])
def test_nvidia_ml_py_reads_the_models_figures(tmp_path: Path, model: str) -> None:
    spec = SimSpec(gpus=2, model=model, shuffled_minors=True)
    with host(tmp_path, spec) as root:
        found = nvml(root)
    assert found["driver"] == spec.driver_version
    for gpu, expected in zip(found["gpus"], gpus(spec), strict=True):
        assert (gpu["index"], gpu["minor"], gpu["uuid"]) == (expected.index, expected.minor, expected.uuid)
        assert gpu["bus"] == f"0000{expected.bus_id}".upper()
        assert (gpu["device"], gpu["subsystem"]) == (expected.model.pci_device, expected.model.pci_subsystem)
        assert (gpu["name"], gpu["memory_mib"]) == (expected.model.name, expected.model.memory_mib)
        assert gpu["capability"] == list(expected.model.compute_capability)
        assert gpu["architecture"] == expected.model.architecture
        assert gpu["same"] == [gpu["index"]] * 2
        assert gpu["mig_mode"] == ([0, 0] if expected.model.profiles else "Not Supported")


@pytest.mark.parametrize(
    ("model", "cut"), [("A100", "1g.5gb"), ("H100", "3g.40gb,2g.20gb,1g.10gb"), ("B200", "1g.45gb")]
)
def test_nvidia_ml_py_walks_the_mig_devices(tmp_path: Path, model: str, cut: str) -> None:
    spec = SimSpec(gpus=2, model=model, mig=tuple(cut.split(",")), mig_on=(1,))
    with host(tmp_path, spec) as root:
        whole, parent = nvml(root)["gpus"]
    assert (whole["migs"], whole["mig_mode"], parent["mig_mode"]) == ([], [0, 0], [1, 1])
    expected = gpus(spec)[1]
    assert parent["migs"] == [
        {
            "uuid": mig.uuid,
            "name": f"{expected.model.name} MIG {mig.profile.name}",
            "gi": mig.gi,
            "ci": mig.ci,
            "is_mig": True,
            "parent": 1,
            "memory_mib": mig.profile.memory_mib,
            "slices": mig.profile.slices,
        }
        for mig in expected.mig
    ]


def test_only_gpus_whose_nodes_are_true_are_visible(tmp_path: Path) -> None:
    with host(tmp_path, SimSpec(gpus=5)) as root:
        one, _, three, four, five = uuids(root)
        os.unlink(root / "dev/nvidia1")
        assert uuids(root) == [one, three, four, five]
        os.unlink(root / "dev/nvidia2")
        (root / "dev/nvidia2").touch()
        assert uuids(root) == [one, four, five]
        os.unlink(root / "dev/nvidia3")
        os.mknod(root / "dev/nvidia3", 0o20666, os.makedev(195, 1))
        assert uuids(root) == [one, five]


def test_only_mig_devices_with_both_capability_nodes_are_visible(tmp_path: Path) -> None:
    spec = SimSpec(mig=("1g.10gb",))
    with host(tmp_path, spec) as root:
        first, second, *others = gpus(spec)[0].mig
        os.unlink(root / f"dev/nvidia-caps/nvidia-cap{first.gi_cap}")
        os.unlink(root / f"dev/nvidia-caps/nvidia-cap{second.ci_cap}")
        (gpu,) = nvml(root)["gpus"]
    assert [mig["uuid"] for mig in gpu["migs"]] == [mig.uuid for mig in others]


def test_another_root_can_be_named_by_the_environment(tmp_path: Path) -> None:
    with host(tmp_path / "eight", SimSpec(gpus=8)) as eight, host(tmp_path / "two", SimSpec(gpus=2)) as two:
        assert len(uuids(eight, LINKSPAN_SIM_ROOT=str(two))) == 2


def test_without_its_own_root_the_library_looks_at_the_root_it_runs_in(tmp_path: Path) -> None:
    if os.path.exists("/dev/nvidiactl"):
        raise UnavailableError("this machine has a GPU of its own")
    with host(tmp_path, SimSpec(gpus=2)) as root:
        library = (root / LIBRARIES / "libnvidia-ml.so.1").resolve()
        data = library.read_bytes().replace(str(root).encode(), b"/nonexistent".ljust(len(str(root)), b"\0"))
        library.write_bytes(data)
        assert nvml(root) == "Driver Not Loaded"


FAULTS = {
    "driver-mismatch": "RM has detected an NVML/RM version mismatch.",
    "unloaded": "Driver Not Loaded",
    "no-nodes": "Driver Not Loaded",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_driver_keeps_nvml_from_starting(tmp_path: Path, fault: str) -> None:
    with host(tmp_path, SimSpec(gpus=2)) as root:
        inject(str(root), fault)
        assert nvml(root) == FAULTS[fault]


def test_a_lost_gpu_counts_but_does_not_answer(tmp_path: Path) -> None:
    with host(tmp_path, SimSpec(gpus=3, faults=("lost-gpu=1",))) as root:
        first, lost, last = nvml(root)["gpus"]
        listed = run(root, str(root / "usr/bin/nvidia-smi"), "-L")
    assert (first["index"], lost, last["index"]) == (0, "GPU is lost", 2)
    assert (listed.returncode, len(listed.stdout.splitlines())) == (15, 3)


ASK_CUDA = """
import ctypes, json
cuda = ctypes.CDLL("libcuda.so.1")
count, version, attribute = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
name, uuid, memory = ctypes.create_string_buffer(100), ctypes.create_string_buffer(16), ctypes.c_size_t()
found = {"init": cuda.cuInit(0), "devices": []}
cuda.cuDriverGetVersion(ctypes.byref(version))
cuda.cuDeviceGetCount(ctypes.byref(count))
for device in range(count.value):
    cuda.cuDeviceGetName(name, 100, device)
    cuda.cuDeviceGetUuid_v2(uuid, device)
    cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
    cuda.cuDeviceGetAttribute(ctypes.byref(attribute), 75, device)
    found["devices"].append([name.value.decode(), uuid.raw.hex(), memory.value >> 20, attribute.value])
print(json.dumps(found | {"version": version.value}))
"""


def cuda(root: Path) -> dict:
    done = run(root, sys.executable, "-c", ASK_CUDA)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_program_on_libcuda_sees_the_same_gpus(tmp_path: Path) -> None:
    with host(tmp_path, SimSpec(gpus=2)) as root:
        os.unlink(root / "dev/nvidia0")
        assert cuda(root) == {
            "init": 0,
            "version": 12040,
            "devices": [["NVIDIA H100 80GB HBM3", "01000100000000000000000000000001", 81559, 9]],
        }


def test_a_program_on_libcuda_sees_one_mig_device(tmp_path: Path) -> None:
    spec = SimSpec(gpus=1, mig=("3g.40gb",))
    with host(tmp_path, spec) as root:
        ((_, uuid, memory_mib, _),) = cuda(root)["devices"]
    mig = gpus(spec)[0].mig[0]
    assert (uuid, memory_mib) == (mig.uuid.removeprefix("MIG-").replace("-", ""), mig.profile.memory_mib)


@pytest.mark.parametrize(("fault", "error"), [("no-uvm", 999), ("driver-mismatch", 803), ("unloaded", 100)])
def test_cuda_does_not_start_on_a_broken_host(tmp_path: Path, fault: str, error: int) -> None:
    with host(tmp_path, SimSpec(faults=(fault,))) as root:
        assert cuda(root)["init"] == error


def test_our_nvidia_smi_lists_and_answers_queries(tmp_path: Path) -> None:
    with host(tmp_path, SimSpec(gpus=2, mig=("7g.80gb",), mig_on=(1,))) as root:
        smi = str(root / "usr/bin/nvidia-smi")
        listed, table = run(root, smi, "-L"), run(root, smi)
        plain, bare = run(root, smi, QUERY, "--format=csv"), run(root, smi, QUERY, "--format=csv,noheader")
    assert listed.stdout.splitlines() == [
        "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-01000100-0000-0000-0000-000000000000)",
        "GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-01000100-0000-0000-0000-000000000001)",
        "  MIG 7g.80gb     Device  0: (UUID: MIG-01000100-0000-0000-0000-000000000001)",
    ]
    assert "CUDA Version: 12.4" in table.stdout
    assert plain.stdout.splitlines()[1:] == bare.stdout.splitlines()
    uuid = "GPU-01000100-0000-0000-0000-000000000000"
    first = f"0, {uuid}, NVIDIA H100 80GB HBM3, 00000000:1A:00.0, 81559 MiB, 9.0, 550.163.01"
    assert bare.stdout.splitlines()[0] == first


def test_our_nvidia_smi_fails_as_the_real_one_does(tmp_path: Path) -> None:
    with host(tmp_path, SimSpec(gpus=1)) as root:
        smi = str(root / "usr/bin/nvidia-smi")
        assert run(root, smi, "--query-gpu=bogus", "--format=csv").returncode == 2
        os.unlink(root / "dev/nvidia0")
        assert run(root, smi, "-L").returncode == 6
        inject(str(root), "driver-mismatch")
        mismatched = run(root, smi)
        assert (mismatched.returncode, mismatched.stdout.splitlines()[0]) == (
            18,
            "Failed to initialize NVML: Driver/library version mismatch",
        )
        inject(str(root), "no-nvml")
        assert run(root, smi).returncode == 12


@pytest.fixture(params=["535", "550"])
def real_smi(request: pytest.FixtureRequest) -> Iterator[Path]:
    spec = SimSpec(gpus=4, mig=("3g.40gb", "1g.10gb"), mig_on=(3,))
    with driver_files.gpu_host(request.param, spec) as root:
        yield Path(root)


def test_debians_nvidia_smi_prints_what_ours_prints(real_smi: Path) -> None:
    version = driver_files.version_of(str(real_smi))
    smi = str(real_smi / "usr/bin/nvidia-smi")
    spec = SimSpec(gpus=4, mig=("3g.40gb", "1g.10gb"), mig_on=(3,), driver=version)
    ours = real_smi / "tmp/ours"
    with host(ours, spec):
        own = str(ours / "usr/bin/nvidia-smi")
        for arguments in (["-L"], [QUERY, "--format=csv"]):
            real, simulated = run(real_smi, smi, *arguments), run(ours, own, *arguments)
            assert (real.returncode, real.stdout) == (0, simulated.stdout)


def test_debians_nvidia_smi_draws_its_table(real_smi: Path) -> None:
    done = run(real_smi, str(real_smi / "usr/bin/nvidia-smi"))
    assert done.returncode == 0, done.stdout
    assert f"Driver Version: {driver_files.version_of(str(real_smi))}" in done.stdout
    assert done.stdout.count("MiB /  81559MiB") + done.stdout.count("MiB / 81559MiB") == 4
    assert "No running processes found" in done.stdout
    assert "|  3    1   0   0  |" in done.stdout


def test_debians_nvidia_smi_names_the_lost_gpu(real_smi: Path) -> None:
    inject(str(real_smi), "lost-gpu=1")
    done = run(real_smi, str(real_smi / "usr/bin/nvidia-smi"), "-L")
    assert done.returncode == 15
    assert "device handle for gpu 0000:1B:00.0: GPU is lost." in done.stdout


def test_nothing_is_removed_below_a_mount(tmp_path: Path) -> None:
    with host(tmp_path / "host", SimSpec()) as root:
        (root / "mnt").mkdir()
        with mounts.tmpfs(str(root / "mnt"), 64), pytest.raises(HostError, match="is a mount below"):
            remove(str(root))
    assert not (tmp_path / "host").exists()


def test_the_libraries_ask_nothing_of_a_particular_c_library() -> None:
    for name in ("libnvidia-ml.so", "libcuda.so"):
        with resources.as_file(resources.files("linkspan.sim").joinpath("native", name)) as path:
            ctypes.CDLL(str(path))
            versions = subprocess.run(["readelf", "-V", path], capture_output=True, text=True, timeout=20, check=False)
        assert "GLIBC" not in versions.stdout
