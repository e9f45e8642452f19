import pytest
from ruamel.yaml import YAML

from linkspan.errors import DeviceNotFound, HostError, RequestError
from linkspan.facts.model import Config, CsvEntry, Driver, File
from linkspan.plan.cdi import CdiOptions, plan_cdi
from tests.unit.plan.hosts import CONTROL, FOLDER, GOLDEN, changed, gpu, h100x8, host, library, mig, node


def plan(facts, **options):
    return plan_cdi(facts, CdiOptions(**options))


def names(plan):
    return [device.name for device in plan.devices]


def paths(injection):
    return [found.path for found in injection.devices]


def device(plan, name):
    return next(found.edits for found in plan.devices if found.name == name)


class TestTheRecordedHost:
    expected = YAML(typ="safe").load(GOLDEN / "h100x8-550/expected.cdi.yaml")
    common = expected["containerEdits"]
    plan = plan(h100x8())

    def test_kind_and_devices_are_the_toolkits(self):
        assert self.plan.kind == self.expected["kind"]
        assert names(self.plan) == [found["name"] for found in self.expected["devices"]]

    def test_the_device_nodes_of_each_device_are_the_toolkits(self):
        for found, wanted in zip(self.plan.devices, self.expected["devices"], strict=True):
            assert _nodes(found.edits) == _golden_nodes(wanted["containerEdits"])
            assert not (found.edits.mounts or found.edits.links or found.edits.env)

    def test_the_control_nodes_are_the_toolkits(self):
        assert _nodes(self.plan.common) == _golden_nodes(self.common)

    def test_the_mounts_are_the_toolkits(self):
        ours = {(mount.host_path, mount.container_path, mount.options) for mount in self.plan.common.mounts}
        wanted = {(m["hostPath"], m["containerPath"], tuple(m["options"])) for m in self.common["mounts"]}
        assert ours == wanted
        assert len(self.plan.common.mounts) == len(self.common["mounts"])

    def test_the_environment_is_the_toolkits(self):
        assert list(self.plan.common.env) == self.common["env"]

    def test_the_links_are_the_toolkits_and_two_that_ldconfig_makes_in_its_containers(self):
        ours = {f"{link.target}::{link.path}" for link in self.plan.common.links}
        assert ours - _golden_links(self.common) == {
            # update-ldcache runs ldconfig, which makes missing SONAME links; we write the cache without running it,
            # and 15_nvidia_gbm.json and 10_nvidia_wayland.json name their libraries by SONAME.
            f"libnvidia-egl-gbm.so.1.1.2::{FOLDER}/libnvidia-egl-gbm.so.1",
            f"libnvidia-egl-wayland.so.1.1.18::{FOLDER}/libnvidia-egl-wayland.so.1",
        }
        assert _golden_links(self.common) - ours == set()

    def test_the_loader_finds_libraries_in_the_toolkits_folders(self):
        hook = next(hook["args"] for hook in self.common["hooks"] if "update-ldcache" in hook["args"])
        assert list(self.plan.common.folders) == [word for word in hook if word.startswith("/")]

    def test_the_work_of_the_other_hooks_is_asked_for(self):
        common = self.plan.common
        assert (common.driver_version, common.application_profile) == ("550.163.01", True)
        assert not common.mask_params  # /proc/driver/nvidia/params is not there on this host


def _nodes(injection):
    return {(n.path, n.host_path, n.major, n.minor, n.mode) for n in injection.devices}


def _golden_nodes(edits):
    found = edits["deviceNodes"]
    return {(n["path"], n["hostPath"], n["major"], n.get("minor", 0), n["fileMode"]) for n in found}


def _golden_links(edits):
    words = [word for hook in edits["hooks"] for word in hook["args"]]
    return {word for word in words if "::" in word}


def test_devices_are_named_by_each_strategy_in_byte_order():
    facts = host(gpu(0), gpu(1, mig=[mig(0, 1)]))
    made = plan(facts, names=("index", "uuid", "type-index"))
    assert names(made) == sorted(["0", facts.gpus[0].uuid, "gpu0", "1:0", facts.gpus[1].mig[0].uuid, "mig1:0", "all"])


def test_a_mig_device_brings_its_parent_and_the_nodes_that_open_it():
    facts = host(gpu(0, mig=[mig(0, 0), mig(1, 0)]))
    made = plan(facts, names=("index",))
    assert paths(device(made, "0:1")) == [
        "/dev/nvidia0",
        "/dev/nvidia-caps/nvidia-cap2",
        "/dev/nvidia-caps/nvidia-cap3",
    ]
    assert len(paths(device(made, "all"))) == 5


def test_only_the_devices_asked_for_are_in_the_spec():
    made = plan(host(gpu(0), gpu(1), gpu(2)), names=("index",), device_ids=("2", "0"))
    assert names(made) == ["0", "2", "all"]
    assert paths(device(made, "all")) == ["/dev/nvidia2", "/dev/nvidia0"]


def test_the_device_all_can_be_left_out():
    assert names(plan(host(gpu(0)), names=("index",), all_device=False)) == ["0"]


def test_none_is_the_driver_without_a_gpu():
    made = plan(host(gpu(0)), device_ids=("none",))
    assert names(made) == ["none"]
    assert device(made, "none").env == ("NVCT_EMPTY_DEVICE=",)


def test_vendor_and_class_make_the_kind():
    assert plan(host(gpu(0)), vendor="example.com", class_="accelerator").kind == "example.com/accelerator"


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"vendor": "1nvidia"}, "vendor '1nvidia'"),
        ({"disabled_hooks": ("update-ldcahce",)}, '"update-ldcahce"'),
        ({"enabled_hooks": ("all",)}, '"all"'),
        ({"features": ("no-such-flag",)}, '"no-such-flag"'),
        ({"names": ()}, "one way to name devices"),
        ({"device_ids": ()}, "at least one device id"),
    ],
)
def test_options_that_cannot_be_followed_are_refused_by_name(options, part):
    with pytest.raises(RequestError) as caught:
        plan(host(gpu(0)), **options)
    assert part in caught.value.message


def test_each_hook_of_the_toolkit_switches_off_its_part_of_our_one_hook():
    facts = changed(host(gpu(0)), params_modify_device_files=True)
    for hook, field in (
        ("create-symlinks", "links"),
        ("enable-cuda-compat", "driver_version"),
        ("update-ldcache", "loadables"),
        ("disable-device-node-modification", "mask_params"),
        ("update-application-profile", "application_profile"),
    ):
        assert getattr(plan(facts).common, field)
        assert not getattr(plan(facts, disabled_hooks=(hook,)).common, field)
    bare = plan(facts, disabled_hooks=("all",), enabled_hooks=("update-ldcache",)).common
    assert bare.loadables
    assert not (bare.links or bare.driver_version or bare.mask_params or bare.application_profile)


def test_groups_of_restricted_nodes_can_be_left_out():
    card = node("/dev/dri/card1", 1, 226, mode=0o660, gid=44)
    facts = host(gpu(0, drm=("/dev/dri/card1",)), devices=(card,))
    assert device(plan(facts), "all").gids == (44,)
    assert device(plan(facts, features=("no-additional-gids-for-device-nodes",)), "all").gids == ()


def test_libraries_beside_the_driver_are_carried_only_by_feature_flag():
    facts = host(gpu(0))
    facts = changed(facts, libraries=(*facts.libraries, library("libOpenCL.so.1.0.0", "libOpenCL.so.1")))
    flagged = plan(facts, features=("enable-explicit-driver-libraries",))
    added = {m.container_path for m in flagged.common.mounts} - {m.container_path for m in plan(facts).common.mounts}
    assert added == {f"{FOLDER}/libOpenCL.so.1.0.0"}


def test_a_host_without_gpu_has_nothing_to_put_into_a_spec():
    with pytest.raises(DeviceNotFound, match="no GPU"):
        plan(host())


class TestManagement:
    def test_it_has_every_node_of_the_driver_and_none_of_other_drivers(self):
        more = ("nvidia-caps/nvidia-cap1", "nvidia-caps-imex-channels/channel0", "nvidia-fs0", "nvidia-nvswitch0")
        facts = host(gpu(0), devices=tuple(node(f"/dev/{name}", 7, 99) for name in (*more, "gdrdrv")))
        made = plan(facts, mode="management")
        assert names(made) == ["all"]
        assert set(paths(device(made, "all"))) == {
            "/dev/nvidia0",
            "/dev/nvidia-caps/nvidia-cap1",
            "/dev/nvidia-caps-imex-channels/channel0",
            *(found.path for found in CONTROL),
        }

    def test_its_common_part_is_the_driver_without_graphics(self):
        full, managed = plan(h100x8()).common, plan(h100x8(), mode="management").common
        left_out = {m.container_path for m in full.mounts} - {m.container_path for m in managed.mounts}
        assert {path.rpartition("/")[2] for path in left_out} == {
            "libnvidia-egl-gbm.so.1.1.2",
            "libnvidia-egl-wayland.so.1.1.18",
            "nvidia.icd",
            "nvidia_icd.json",
            "nvidia_layers.json",
            "10_nvidia_wayland.json",
            "15_nvidia_gbm.json",
            "10_nvidia.json",
        }
        assert managed.driver_version
        assert not managed.application_profile
        assert not any("gbm" in link.path for link in managed.links)

    def test_without_any_node_there_is_no_spec(self):
        with pytest.raises(HostError, match="no device node of the driver"):
            plan(changed(host(), devices=()), mode="management")


@pytest.mark.parametrize(
    ("mode", "nodes"),
    [
        ("gds", ("/dev/nvidia-fs0", "/dev/nvidia-fs1")),
        ("mofed", ("/dev/infiniband/uverbs0", "/dev/infiniband/rdma_cm")),
        ("gdrcopy", ("/dev/gdrdrv",)),
        ("nvswitch", ("/dev/nvidia-nvswitchctl", "/dev/nvidia-nvswitch0")),
    ],
)
def test_a_gated_mode_has_its_nodes_or_says_what_is_missing(mode, nodes):
    made = plan(host(devices=tuple(node(path) for path in nodes)), mode=mode)
    assert (names(made), paths(device(made, "all"))) == (["all"], list(nodes))
    assert made.common.env == ("NVIDIA_VISIBLE_DEVICES=void",)
    with pytest.raises(HostError) as caught:
        plan(host(), mode=mode)
    assert f"no device node for {mode}" in caught.value.message
    assert "/dev/" in caught.value.hint


def test_gpudirect_storage_brings_the_udev_database_and_its_configuration():
    cufile = Config(path="/etc/cufile.json", host_path="/r/etc/cufile.json", container_path="/etc/cufile.json")
    udev = File(path="/run/udev", host_path="/r/run/udev")
    facts = changed(host(gpu(0), devices=(node("/dev/nvidia-fs0"),)), configs=(cufile,), folders=(udev,))
    gds = device(plan(facts, mode="gds"), "all")
    assert [mount.container_path for mount in gds.mounts] == ["/run/udev", "/etc/cufile.json"]
    assert "/etc/cufile.json" not in [mount.container_path for mount in plan(facts).common.mounts]


class TestImex:
    facts = host(devices=tuple(node(f"/dev/nvidia-caps-imex-channels/channel{n}", n, 234) for n in (0, 7)))

    def test_each_channel_is_a_device_and_all_are_one_more(self):
        assert names(plan(self.facts, mode="imex")) == ["0", "7", "all"]

    def test_a_channel_is_asked_for_by_number_or_by_name(self):
        assert names(plan(self.facts, mode="imex", device_ids=("channel7",), all_device=False)) == ["7"]

    def test_a_channel_that_does_not_exist_is_an_error(self):
        with pytest.raises(DeviceNotFound, match="channel 3 was asked for, but this host has channels 0, 7"):
            plan(self.facts, mode="imex", device_ids=("3",))

    def test_no_channel_at_all_is_an_error(self):
        with pytest.raises(HostError, match="no IMEX channel"):
            plan(host(), mode="imex")


class TestWsl:
    store = "/usr/lib/wsl/drivers/nv_dispi.inf_amd64_1"
    facts = changed(
        host(),
        platform="wsl",
        driver=Driver(),
        devices=(node("/dev/dxg", 63, 10),),
        libraries=(
            library("libdxcore.so", "libdxcore.so", folder="/usr/lib/wsl/lib"),
            library("libcuda.so.1.1", "libcuda.so.1", folder=store),
        ),
        wsl_store=store,
        binaries=(File(path=f"{store}/nvidia-smi", host_path=f"{store}/nvidia-smi"),),
        folders=(File(path=f"{store}/nvcubins.bin", host_path=f"{store}/nvcubins.bin"),),
    )

    def test_the_platform_chooses_the_mode(self):
        made = plan(self.facts)
        assert (names(made), paths(device(made, "all"))) == (["all"], ["/dev/dxg"])

    def test_it_has_the_files_of_the_driver_store_and_a_link_to_nvidia_smi(self):
        common = plan(self.facts, mode="wsl").common
        assert {m.container_path.rpartition("/")[2] for m in common.mounts} == {
            "libdxcore.so",
            "libcuda.so.1.1",
            "nvidia-smi",
            "nvcubins.bin",
        }
        assert ("/usr/bin/nvidia-smi", f"{self.store}/nvidia-smi") in [(li.path, li.target) for li in common.links]
        assert set(common.folders) == {"/usr/lib/wsl/lib", self.store}
        assert common.env == ("NVIDIA_VISIBLE_DEVICES=void",)

    @pytest.mark.parametrize(("field", "part"), [("devices", "/dev/dxg"), ("libraries", "driver store")])
    def test_what_is_missing_is_named(self, field, part):
        with pytest.raises(HostError, match=part):
            plan(changed(self.facts, **{field: ()}))


class TestCsv:
    board = changed(
        host(),
        platform="tegra",
        driver=Driver(),
        libraries=(),
        devices=(node("/dev/nvhost-gpu"), node("/dev/nvmap")),
        csv=(
            CsvEntry(type="dev", path="/dev/nvhost-gpu", source="/x/devices.csv:1", host_path="/dev/nvhost-gpu"),
            CsvEntry(type="dev", path="/dev/nvgone", source="/x/devices.csv:2"),
            CsvEntry(type="dir", path="/lib/firmware/tegra", source="/x/l4t.csv:1", host_path="/r/lib/firmware/tegra"),
        ),
    )

    def test_devices_and_files_of_the_csv_lines_are_in_the_spec(self):
        made = plan(self.board)
        assert names(made) == ["0", "all"]
        assert paths(device(made, "0")) == ["/dev/nvhost-gpu"]
        assert [mount.container_path for mount in made.common.mounts] == ["/lib/firmware/tegra"]

    def test_the_gpu_is_named_by_every_strategy_where_nvml_knows_it(self):
        facts = changed(self.board, gpus=(gpu(0),))
        assert names(plan(facts, names=("uuid", "type-index"))) == sorted([facts.gpus[0].uuid, "gpu0", "all"])

    def test_none_is_the_files_without_a_device(self):
        assert names(plan(self.board, device_ids=("none",))) == ["none"]

    def test_without_csv_lines_there_is_no_spec(self):
        with pytest.raises(HostError, match="no CSV file"):
            plan(changed(self.board, csv=()))

    def test_without_a_device_line_there_is_no_spec(self):
        with pytest.raises(HostError, match="no device node that the CSV files name"):
            plan(changed(self.board, csv=self.board.csv[2:]))
