import pytest

from linkspan.errors import DeviceNotFound, RequestError, RequirementError
from linkspan.facts.model import Config, CsvEntry, Driver, Link
from linkspan.plan.injection import inject
from linkspan.plan.model import DeviceRequest, Policy
from linkspan.plan.requirements import parse
from tests.unit.plan.hosts import changed, gpu, host, library, mig, node

LIB = "/usr/lib/aarch64-linux-gnu"


def entry(kind, path, *, final="", source="/etc/x/l4t.csv:1", hops=(), exists=True):
    final = (final or path) if exists else ""
    return CsvEntry(
        type=kind,
        path=path,
        source=source,
        final=final,
        host_path=f"/root{final}" if final else "",
        hops=tuple(Link(path=start, target=target) for start, target in hops),
    )


CSV = (
    entry("dev", "/dev/nvhost-gpu", source="/etc/x/devices.csv:1"),
    entry("dev", "/dev/nvidia1", source="/etc/x/devices.csv:2"),
    entry("dir", "/usr/share/doc/tegra"),
    entry("lib", f"{LIB}/tegra/libcuda.so.1.1", source="/etc/x/drivers.csv:1"),
    entry("lib", f"{LIB}/tegra/libnvrm.so", source="/etc/x/drivers.csv:2"),
    entry("lib", f"{LIB}/tegra/libgone.so", source="/etc/x/drivers.csv:3", exists=False),
    entry(
        "sym",
        f"{LIB}/libnvbuf.so",
        final=f"{LIB}/tegra/libnvbuf.so.1.0.0",
        hops=[(f"{LIB}/libnvbuf.so", "tegra/libnvbuf.so"), (f"{LIB}/tegra/libnvbuf.so", "libnvbuf.so.1.0.0")],
    ),
    entry(
        "sym",
        "/etc/alternatives/config",
        final="/etc/config.real",
        hops=[("/etc/alternatives/config", "../config.real")],
    ),
    entry("lib", f"{LIB}/libcudnn.so.8", source="/etc/x/cudnn.csv:1"),
)
BOARD = changed(
    host(),
    platform="tegra",
    driver=Driver(),
    devices=(node("/dev/nvhost-gpu"), node("/dev/nvidia1", 1), node("/dev/nvidia2", 2), node("/dev/nvidiactl", 255)),
    libraries=(library("libcuda.so.1.1", "libcuda.so.1", folder=f"{LIB}/tegra"),),
    csv=CSV,
)
IGPU = changed(gpu(0), name="Orin (nvgpu)")
DGPU = changed(gpu(1, minor=0), name="NVIDIA RTX 6000")
TWO = changed(
    BOARD, gpus=(IGPU, DGPU), devices=(*BOARD.devices, node("/dev/nvidia0")), driver=Driver(cuda_version="12.2")
)


def give(*devices, facts=BOARD, policy=None, **request):
    return inject(facts, DeviceRequest(devices=devices, **request), policy or Policy())


def paths(injection):
    return [found.path for found in injection.devices]


def mounted(injection):
    return [mount.container_path for mount in injection.mounts]


@pytest.mark.parametrize("asked", [("all",), ("0",)])
def test_the_csv_files_say_what_the_one_gpu_needs(asked):
    injection = give(*asked)
    assert paths(injection) == ["/dev/nvhost-gpu", "/dev/nvidia1"]
    assert mounted(injection) == [
        "/usr/share/doc/tegra",
        f"{LIB}/tegra/libcuda.so.1.1",
        f"{LIB}/tegra/libnvrm.so",
        f"{LIB}/tegra/libnvbuf.so.1.0.0",
        "/etc/config.real",
    ]
    assert injection.mounts[-1].host_path == "/root/etc/config.real"


def test_every_hop_of_a_symlink_is_made_with_the_hosts_text():
    found = {link.path: link.target for link in give("all").links}
    assert found[f"{LIB}/libnvbuf.so"] == "tegra/libnvbuf.so"
    assert found[f"{LIB}/tegra/libnvbuf.so"] == "libnvbuf.so.1.0.0"
    assert found["/etc/alternatives/config"] == "../config.real"


def test_the_loader_finds_libraries_by_soname_where_it_is_known_and_by_every_name_else():
    found = {item.path for item in give("all").loadables}
    assert {f"{LIB}/tegra/libcuda.so.1", f"{LIB}/tegra/libnvrm.so", f"{LIB}/libnvbuf.so"} <= found
    assert "/etc/config.real" not in found


def test_none_has_the_files_and_no_device():
    injection = give("none")
    assert paths(injection) == []
    assert injection.env[0] == "NVCT_EMPTY_DEVICE="
    assert mounted(injection) == mounted(give("all"))


def test_other_csv_files_count_only_when_all_are_asked_for():
    assert f"{LIB}/libcudnn.so.8" not in mounted(give("all"))
    assert f"{LIB}/libcudnn.so.8" in mounted(give("all", csv_all=True))


def test_capabilities_keep_out_what_is_known_to_belong_to_others_and_nothing_else():
    found = mounted(give("all", capabilities=("utility",)))
    assert f"{LIB}/tegra/libcuda.so.1.1" not in found
    assert f"{LIB}/tegra/libnvrm.so" in found


def test_the_release_file_is_mounted_where_the_board_has_it():
    path = "/etc/nv_tegra_release"
    facts = changed(BOARD, configs=(Config(path=path, host_path=f"/root{path}", container_path=path),))
    assert path in mounted(give("all", facts=facts))


@pytest.mark.parametrize("asked", ["1", "GPU-1", "0:0"])
def test_without_a_second_gpu_other_ids_are_refused(asked):
    with pytest.raises(DeviceNotFound, match="this Tegra host has the one GPU 0"):
        give(asked)


class TestTwoGpus:
    def test_the_integrated_one_leaves_the_node_of_the_other(self):
        assert paths(give("0", facts=TWO)) == ["/dev/nvhost-gpu", "/dev/nvidia2"]

    def test_the_discrete_one_has_its_own_nodes(self):
        assert paths(give("1", facts=TWO)) == ["/dev/nvidia0", "/dev/nvidiactl"]

    def test_all_are_both(self):
        assert paths(give("all", facts=TWO)) == ["/dev/nvhost-gpu", "/dev/nvidia2", "/dev/nvidia0", "/dev/nvidiactl"]

    def test_a_feature_flag_makes_them_one(self):
        policy = Policy(features=("disable-multiple-csv-devices",))
        assert paths(give("0", facts=TWO, policy=policy)) == ["/dev/nvhost-gpu", "/dev/nvidia1"]

    def test_mig_devices_cannot_be_given(self):
        facts = changed(TWO, gpus=(IGPU, changed(DGPU, mig=(mig(0, 1),))))
        with pytest.raises(RequestError, match="MIG device 1:0 was asked for, which mode csv cannot give"):
            give("1:0", facts=facts)


def test_compatibility_libraries_go_by_cuda_version_and_those_for_orin_have_their_own_folder():
    injection = give("0", facts=TWO)
    assert (injection.cuda_version, injection.compat_root) == ("12.2", "/usr/local/cuda/compat_orin")
    assert give("0", facts=TWO, policy=Policy(compat_root="/compat")).compat_root == "/compat"
    assert give("0", facts=changed(TWO, gpus=(DGPU,))).compat_root == ""
    assert give("0").cuda_version == ""


def test_requirements_are_checked_as_far_as_the_board_can_tell():
    requirement = (parse("NVIDIA_REQUIRE_CUDA", "cuda>=13"),)
    assert give("0", requirements=requirement).devices
    with pytest.raises(RequirementError):
        give("0", facts=TWO, requirements=requirement)
