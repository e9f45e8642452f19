import os

from linkspan.facts import nvml
from linkspan.kernel import stamps
from tests import hosts
from tests.hosts import LIBRARIES, char, driver

V = "550.163.01"
KERNEL = "/proc/driver/nvidia/version"
NODES = {"/dev/nvidiactl": char(195, 255), "/dev/nvidia0": char(195, 0), "/dev/nvidia2": char(195, 2)}


def look(root, nodes=NODES, minors=(0, 2), mig=()):
    gpus = tuple(
        nvml.GpuReport(index=n, minor=minor, uuid=f"GPU-{n}", name="T4", pci_bus_id=f"0000:0{n}:00.0", mig=mig)
        for n, minor in enumerate(minors)
    )
    return hosts.look(root, nodes, ask=lambda _: nvml.Report(driver_version=V, gpus=gpus))


def stale(facts):
    """The stamps that no longer hold, other than those of nodes, which are only told here."""
    found = [stamp for stamp in facts.stamps if stamp.kind != "node"]
    return [item.path.removeprefix(facts.root) for item in found if stamps.take(item.kind, item.path) != item.value]


def make(root, more=()):
    version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.163.01  Tue\n"
    return hosts.make(root, {**driver(V), KERNEL: version, "/etc/ld.so.cache": "", **dict(more)})


def test_fresh_facts_are_not_stale(tmp_path):
    assert stale(look(make(tmp_path))) == []


def test_another_kernel_module_is_seen(tmp_path):
    facts = look(make(tmp_path))
    (tmp_path / KERNEL[1:]).write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  560.1  Tue\n")
    assert stale(facts) == [KERNEL]


def test_another_libcuda_is_seen(tmp_path):
    facts = look(make(tmp_path))
    (tmp_path / "new").write_text("another")
    os.replace(tmp_path / "new", f"{tmp_path}{LIBRARIES}/libcuda.so.{V}")
    assert stale(facts) == [f"{LIBRARIES}/libcuda.so.{V}"]


def test_a_library_installed_later_is_seen_by_the_loader_cache(tmp_path):
    facts = look(make(tmp_path))
    (tmp_path / "new").write_text("")
    os.replace(tmp_path / "new", tmp_path / "etc/ld.so.cache")
    assert stale(facts) == ["/etc/ld.so.cache"]


def test_a_host_without_a_loader_cache_has_its_library_folder_watched(tmp_path):
    facts = look(hosts.make(tmp_path, driver(V)))
    hosts.make(tmp_path, {f"{LIBRARIES}/libnvcuvid.so.{V}": ""})
    assert stale(facts) == [LIBRARIES]


def test_nodes_are_watched_by_their_numbers_and_the_absent_ones_by_name(tmp_path):
    facts = look(make(tmp_path))
    found = {stamp.path.removeprefix(facts.root): (stamp.kind, stamp.value) for stamp in facts.stamps}
    assert found["/dev/nvidia0"] == ("node", "195:0")
    assert found["/dev/nvidia1"] == ("absent", "")
    assert found["/dev/nvidia2"] == ("node", "195:2")
    assert found["/dev/nvidia3"] == ("absent", "")
    assert found["/dev/nvidia-uvm"] == ("absent", "")


def test_what_starts_late_in_the_boot_is_seen(tmp_path):
    facts = look(make(tmp_path))
    late = ["/dev/nvidia3", "/dev/nvidia-caps-imex-channels/channel0", "/dev/gdrdrv", "/run/nvidia-persistenced/socket"]
    hosts.make(tmp_path, dict.fromkeys(late, ""))
    assert stale(facts) == [
        "/dev/nvidia3",
        "/dev/nvidia-caps-imex-channels",
        "/dev/gdrdrv",
        "/run/nvidia-persistenced/socket",
    ]


def test_mig_devices_are_watched_by_the_text_that_grants_access(tmp_path):
    access = "/proc/driver/nvidia/capabilities/gpu0/mig/gi1/ci0/access"
    make(tmp_path, {access: "DeviceFileMinor: 12\n"})
    facts = look(tmp_path, minors=(0,), mig=(nvml.MigReport(index=0, uuid="MIG-a", gi=1, ci=0),))
    (tmp_path / access[1:]).unlink()
    assert stale(facts) == [access]


def test_stamps_stay_few(tmp_path):
    eight = {f"/dev/nvidia{minor}": char(195, minor) for minor in range(8)}
    assert len(look(make(tmp_path), eight, range(8)).stamps) <= 26


def test_wsl_and_tegra_have_witnesses_of_their_own(tmp_path):
    hosts.make(tmp_path / "wsl", {"/usr/lib/wsl/lib/libdxcore.so": hosts.library("libdxcore.so")})
    wsl = hosts.look(tmp_path / "wsl", {"/dev/dxg": char(10, 127)})
    paths = [stamp.path.removeprefix(wsl.root) for stamp in wsl.stamps]
    assert {"/dev/dxg", "/usr/lib/wsl/lib/libdxcore.so"} <= set(paths)
    assert "/dev/nvidiactl" not in paths
    csv = "/etc/nvidia-container-runtime/host-files-for-container.d/l4t.csv"
    tegra = hosts.look(hosts.make(tmp_path / "tegra", {"/etc/nv_tegra_release": "", csv: "dir, /etc\n"}))
    (tmp_path / "tegra" / csv[1:]).write_text("dir, /usr\n# changed\n")
    assert stale(tegra) == [csv]
