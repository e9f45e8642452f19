import json

import pytest

from linkspan.errors import DeviceNotFound, HostError, RequestError, RequirementError
from linkspan.facts.model import Driver, File, Link
from linkspan.formats import toolkit_config
from linkspan.plan.injection import inject
from linkspan.plan.model import ContainerView, DeviceRequest, Injection, Policy
from linkspan.plan.policy import policy_of
from linkspan.plan.request import read_request
from tests.unit.plan.hosts import (
    FOLDER,
    GOLDEN,
    VERSION,
    changed,
    gpu,
    h100x8,
    host,
    library,
    mig,
    node,
)

H100X8 = h100x8()
CASES = {case["name"]: case for case in json.loads((GOLDEN / "requests.json").read_text())["cases"]}
CTL = ["/dev/nvidia-modeset", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidiactl"]


def give(facts, *devices, policy=None, **request):
    return inject(facts, DeviceRequest(devices=devices or ("all",), **request), policy or Policy())


def paths(injection):
    return [found.path for found in injection.devices]


def mounted(injection):
    return {mount.container_path.rpartition("/")[2] for mount in injection.mounts}


def run(name):
    """Request and injection for a case of ``golden/requests.json``."""
    case = CASES[name]
    policy = policy_of(toolkit_config.parse(case.get("config", ""), "config.toml"))
    policy = changed(policy, mode=case.get("mode", "auto"))
    view = ContainerView(
        env=tuple(case["env"]),
        annotations=case.get("annotations", {}),
        mounts=tuple((mount["source"], mount["destination"]) for mount in case.get("mounts", ())),
    )
    request = read_request(view, policy, "nvml")
    return request, inject(H100X8, request, policy)


def refusal(name):
    with pytest.raises(RequestError) as caught:
        run(name)
    assert "\n" not in str(caught.value)
    return caught.value


DONE_ELSEWHERE = {
    "visible qualified cdi": DeviceRequest(cdi_devices=("nvidia.com/gpu=1",), source="NVIDIA_VISIBLE_DEVICES"),
    "legacy mode 0,2": DeviceRequest(
        devices=("0", "2"), source="NVIDIA_VISIBLE_DEVICES", capabilities=("compute", "utility")
    ),
    "legacy mode no request": DeviceRequest(),
    "management mode all": DeviceRequest(
        cdi_devices=("management.nvidia.com/gpu=all",), source="NVIDIA_VISIBLE_DEVICES"
    ),
    "cdi mode 0,2": DeviceRequest(
        cdi_devices=("nvidia.com/gpu=0", "nvidia.com/gpu=2"), source="NVIDIA_VISIBLE_DEVICES"
    ),
    "cdi annotation": DeviceRequest(
        cdi_devices=("nvidia.com/gpu=0", "nvidia.com/gpu=3"), source="annotation cdi.k8s.io/vendor_dev"
    ),
    "cdi annotation auto mode": DeviceRequest(
        cdi_devices=("nvidia.com/gpu=0", "nvidia.com/gpu=3"), source="annotation cdi.k8s.io/vendor_dev"
    ),
}
"""Cases in which the toolkit takes the edits from a spec on disk, or leaves them to the prestart hook."""

DONE_HERE = {name for name, case in CASES.items() if "linkspan" not in case and not case["toolkit_1_20"]["exit"]}
DONE_HERE -= DONE_ELSEWHERE.keys()
ONE_BY_ONE = {
    "visible=0,0 dup",
    "visible short uuid",
    "visible out of range",
    "visible garbage",
    "visible all,0",
    "mig index without mig",
    "require unsatisfied",
    "require malformed",
    "caps utility",
    "caps compute",
    "caps unknown",
}


class TestTheRecordedRequests:
    def test_no_case_is_left_out(self):
        assert DONE_HERE | DONE_ELSEWHERE.keys() | ONE_BY_ONE == CASES.keys()
        assert len(CASES) == 32

    @pytest.mark.parametrize("name", sorted(DONE_HERE))
    def test_where_the_toolkit_does_right_devices_mounts_and_environment_are_the_same(self, name):
        expected = CASES[name]["toolkit_1_20"]
        injection = run(name)[1]
        assert paths(injection) == expected["devices"]
        assert len(injection.mounts) == expected["driver_mounts"]
        assert sorted(injection.env) == sorted(set(expected["env_added"]))

    @pytest.mark.parametrize("name", sorted(DONE_ELSEWHERE))
    def test_what_specs_on_disk_or_the_prestart_hook_serve_is_read_as_such(self, name):
        assert run(name)[0] == DONE_ELSEWHERE[name]

    def test_a_mig_device_of_a_gpu_that_has_none_is_refused_as_by_the_toolkit(self):
        assert isinstance(refusal("mig index without mig"), DeviceNotFound)

    def test_a_repeated_id_counts_once(self):
        assert paths(run("visible=0,0 dup")[1]) == ["/dev/nvidia0", *CTL]

    def test_a_prefix_of_all_uuids_is_an_error_that_lists_them(self):
        message = refusal("visible short uuid").message
        assert "GPU-01000100" in message
        assert all(found.uuid in message for found in H100X8.gpus)

    @pytest.mark.parametrize(("name", "asked"), [("visible out of range", "9"), ("visible garbage", "banana")])
    def test_a_gpu_that_does_not_exist_is_refused_with_those_there_are(self, name, asked):
        error = refusal(name)
        assert isinstance(error, DeviceNotFound)
        assert error.message == f'"{asked}" was asked for, but this host has GPUs 0, 1, 2, 3, 4, 5, 6, 7'

    def test_all_among_others_is_all(self):
        assert paths(run("visible all,0")[1]) == CASES["visible all,0"]["toolkit_1_20"]["devices"]

    def test_an_unmet_requirement_is_refused_with_what_is_there_and_what_to_do(self):
        error = refusal("require unsatisfied")
        assert isinstance(error, RequirementError)
        assert "cuda>=13.9" in error.message
        assert "12.4" in error.message
        assert "driver" in error.hint

    def test_a_malformed_requirement_is_refused_with_its_part(self):
        assert '"cuda=>banana"' in refusal("require malformed").message

    def test_utility_brings_only_its_own_files(self):
        injection = run("caps utility")[1]
        assert mounted(injection) == {
            f"libnvidia-ml.so.{VERSION}",
            f"libnvidia-cfg.so.{VERSION}",
            "nvidia-smi",
            "nvidia-debugdump",
            "nvidia-persistenced",
            "gsp_ga10x.bin",
            "gsp_tu10x.bin",
        }
        assert paths(injection) == ["/dev/nvidia0", "/dev/nvidiactl"]
        assert {item.path for item in injection.loadables} == {
            f"{FOLDER}/libnvidia-ml.so.1",
            f"{FOLDER}/libnvidia-ml.so",
            f"{FOLDER}/libnvidia-cfg.so.1",
        }
        assert not injection.application_profile
        assert not injection.driver_version

    def test_compute_brings_only_its_own_files(self):
        injection = run("caps compute")[1]
        stems = {name.partition(".so")[0].removeprefix("libnvidia-") for name in mounted(injection)}
        assert stems == {
            *("libcuda", "libcudadebugger", "allocator", "nvvm", "opencl", "pkcs11-openssl3", "ptxjitcompiler"),
            *("nvidia-cuda-mps-control", "nvidia-cuda-mps-server", "nvidia.icd", "gsp_ga10x.bin", "gsp_tu10x.bin"),
        }
        assert paths(injection) == ["/dev/nvidia0", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidiactl"]
        assert injection.driver_version == VERSION

    def test_an_unknown_capability_is_refused_with_the_known_ones(self):
        error = refusal("caps unknown")
        assert '"banana"' in error.message
        assert "compute" in error.hint


class TestDevices:
    def test_gpus_come_in_the_order_asked_before_the_control_nodes(self):
        assert paths(give(host(gpu(0), gpu(1), gpu(2)), "2", "0")) == ["/dev/nvidia2", "/dev/nvidia0", *CTL]

    def test_the_node_is_that_of_the_minor_not_of_the_index(self):
        assert paths(give(host(gpu(0, minor=5)), "0"))[0] == "/dev/nvidia5"

    def test_a_mig_device_brings_its_parent_and_the_nodes_that_open_it(self):
        facts = host(gpu(0), gpu(1, mig=[mig(0, 1), mig(1, 1)]))
        assert paths(give(facts, "1:1", "1:0"))[:5] == [
            "/dev/nvidia1",
            *facts.gpus[1].mig[1].access,
            *facts.gpus[1].mig[0].access,
        ]

    def test_drm_nodes_and_their_links_come_with_graphics(self):
        drm = (node("/dev/dri/card1", 1, 226, mode=0o660, gid=44), node("/dev/dri/renderD128", 128, 226))
        links = (
            Link(path="/dev/dri/by-path/pci-0000:1a:00.0-card", target="../card1"),
            Link(path="/dev/dri/by-path/pci-0000:1a:00.0-render", target="../renderD129"),
        )
        found = gpu(0, drm=("/dev/dri/card1", "/dev/dri/renderD128", "/dev/dri/gone"), by_path=links)
        injection = give(host(found, devices=drm))
        assert paths(injection)[1:3] == ["/dev/dri/card1", "/dev/dri/renderD128"]
        assert links[0] in injection.links
        assert links[1] not in injection.links
        assert injection.gids == (44,)
        assert give(host(found, devices=drm), policy=Policy(additional_gids=False)).gids == ()
        assert not any("dri" in path for path in paths(give(host(found, devices=drm), capabilities=("compute",))))

    def test_a_mig_device_has_drm_nodes_only_with_a_graphics_profile(self):
        card = node("/dev/dri/card1", 1, 226)
        for graphics in (True, False):
            facts = host(gpu(0, mig=[mig(0, 0, graphics=graphics)], drm=("/dev/dri/card1",)), devices=(card,))
            assert ("/dev/dri/card1" in paths(give(facts))) is graphics

    @pytest.mark.parametrize(
        ("capability", "expected"),
        [
            ("utility", [CTL[3]]),
            ("ngx", [CTL[3]]),
            ("compute", CTL[1:]),
            ("video", CTL[1:]),
            ("graphics", [CTL[0], CTL[3]]),
            ("display", [CTL[0], CTL[3]]),
        ],
    )
    def test_control_nodes_follow_the_capabilities(self, capability, expected):
        assert paths(give(host(gpu(0)), capabilities=(capability,)))[1:] == expected

    def test_none_is_the_driver_without_a_gpu(self):
        injection = give(host(gpu(0)), "none", capabilities=("compute",))
        assert paths(injection) == CTL[1:]
        assert injection.env[0] == "NVCT_EMPTY_DEVICE="
        assert injection.mounts

    def test_nothing_asked_for_is_nothing(self):
        assert inject(host(gpu(0)), DeviceRequest(), Policy()) == Injection()


class TestWhatIsMissing:
    def test_a_gpu_without_node_is_named_with_the_command_that_makes_it(self):
        facts = host(gpu(0), gpu(1, minor=3))
        facts = changed(facts, devices=tuple(found for found in facts.devices if found.path != "/dev/nvidia3"))
        for devices in ("all", "1"):
            with pytest.raises(HostError) as caught:
                give(facts, devices)
            assert caught.value.message == "GPU 1 has no device node: /dev/nvidia3 does not exist"
            assert "nvidia-modprobe -c 3" in caught.value.hint
        assert paths(give(facts, "0"))[0] == "/dev/nvidia0"

    def test_nvidiactl_is_always_needed(self):
        with pytest.raises(HostError, match="/dev/nvidiactl does not exist"):
            give(without_node(host(gpu(0)), "/dev/nvidiactl"), capabilities=("utility",))

    def test_uvm_is_needed_by_who_names_compute(self):
        facts = without_node(host(gpu(0)), "/dev/nvidia-uvm")
        with pytest.raises(HostError, match="/dev/nvidia-uvm does not exist") as caught:
            give(facts, capabilities=("compute", "utility"))
        assert "nvidia-modprobe -u" in caught.value.hint
        assert "/dev/nvidia-uvm" not in paths(give(facts))
        assert "/dev/nvidia-uvm" not in paths(give(facts, "none", capabilities=("compute",)))

    def test_modeset_may_be_missing(self):
        assert "/dev/nvidia-modeset" not in paths(give(without_node(host(gpu(0)), "/dev/nvidia-modeset")))

    def test_a_mig_device_that_cannot_be_opened_is_named(self):
        facts = host(gpu(0, mig=[mig(0, 0)]))
        with pytest.raises(HostError, match="MIG device 0:0 cannot be opened: /dev/nvidia-caps/nvidia-cap1 does not"):
            give(without_node(facts, "/dev/nvidia-caps/nvidia-cap1"))
        unlisted = host(gpu(0, mig=[changed(mig(0, 0), access=())]))
        with pytest.raises(HostError, match="mig-minors does not list it"):
            give(unlisted)

    @pytest.mark.parametrize(
        ("fields", "part"),
        [
            ({"driver": Driver()}, "no NVIDIA driver was found below /"),
            (
                {"driver": Driver(version="550.1", conflict="the kernel runs 535.1, but the libraries are 550.1")},
                "535.1",
            ),
            ({"libraries": ()}, f"no library of driver {VERSION} was found"),
        ],
    )
    def test_a_driver_that_is_not_whole_is_refused_before_anything_else(self, fields, part):
        with pytest.raises(HostError) as caught:
            give(changed(host(gpu(0)), **fields), "9")
        assert part in caught.value.message
        assert caught.value.hint


def without_node(facts, path):
    return changed(facts, devices=tuple(found for found in facts.devices if found.path != path))


class TestLibraries:
    def give(self, *libraries, **request):
        return give(changed(host(gpu(0)), libraries=libraries), **request)

    def links(self, *libraries):
        return {(link.path.removeprefix(f"{FOLDER}/"), link.target) for link in self.give(*libraries).links}

    def test_every_library_gets_its_soname_link_and_a_development_link_where_the_host_has_one(self):
        encode = library("libnvidia-encode.so.1.2", "libnvidia-encode.so.1", links=("libnvidia-encode.so",))
        fbc = library("libnvidia-fbc.so.1.2", "libnvidia-fbc.so.1")
        assert self.links(encode, fbc) == {
            ("libnvidia-encode.so.1", "libnvidia-encode.so.1.2"),
            ("libnvidia-encode.so", "libnvidia-encode.so.1"),
            ("libnvidia-fbc.so.1", "libnvidia-fbc.so.1.2"),
        }

    def test_a_library_named_by_its_soname_needs_no_link_but_is_found(self):
        injection = self.give(library("libnvidia-tls.so.1.2", "libnvidia-tls.so.1.2"))
        assert injection.links == ()
        assert [item.path for item in injection.loadables] == [f"{FOLDER}/libnvidia-tls.so.1.2"]

    def test_a_library_without_soname_is_found_by_its_name(self):
        injection = self.give(library("libnvidia-odd.so.1.2", links=("libnvidia-odd.so",)))
        assert [(link.path, link.target) for link in injection.links] == [
            (f"{FOLDER}/libnvidia-odd.so", "libnvidia-odd.so.1.2")
        ]
        assert [item.path.rpartition("/")[2] for item in injection.loadables] == [
            "libnvidia-odd.so.1.2",
            "libnvidia-odd.so",
        ]

    def test_some_links_are_made_on_every_host(self):
        assert {
            ("libcuda.so", "libcuda.so.1"),
            ("libnvidia-opticalflow.so", "libnvidia-opticalflow.so.1"),
            ("libGLX_indirect.so.0", "libGLX_nvidia.so.1.2"),
            ("libnvidia-vulkan-producer.so", "libnvidia-vulkan-producer.so.1.2"),
            ("gbm/nvidia-drm_gbm.so", "../libnvidia-allocator.so.1"),
        } <= self.links(
            library("libcuda.so.1.2", "libcuda.so.1"),
            library("libnvidia-opticalflow.so.1.2", "libnvidia-opticalflow.so.1"),
            library("libGLX_nvidia.so.1.2", "libGLX_nvidia.so.0"),
            library("libnvidia-vulkan-producer.so.1.2", "libnvidia-vulkan-producer.so.1.2"),
            library("libnvidia-allocator.so.1.2", "libnvidia-allocator.so.1"),
        )

    def test_modules_of_the_x_server_are_linked_but_not_for_the_loader(self):
        folder = "/usr/lib/xorg/modules/extensions"
        injection = self.give(library("libglxserver_nvidia.so.1.2", "libglxserver_nvidia.so.1.2", folder=folder))
        assert injection.links == (Link(path=f"{folder}/libglxserver_nvidia.so", target="libglxserver_nvidia.so.1.2"),)
        assert injection.loadables == ()

    def test_the_backend_of_gbm_is_linked_for_graphics_alone(self):
        allocator = library("libnvidia-allocator.so.1.2", "libnvidia-allocator.so.1")
        assert not any("gbm" in link.path for link in self.give(allocator, capabilities=("compute",)).links)

    def test_32_bit_libraries_come_only_when_compat32_is_asked_for(self):
        narrow = library("libcuda.so.1.2", "libcuda.so.1", folder="/usr/lib/i386-linux-gnu", bits=32)
        libraries = (library("libcuda.so.1.2", "libcuda.so.1"), narrow)
        assert {item.bits for item in self.give(*libraries).loadables} == {64}
        assert {item.bits for item in self.give(*libraries, capabilities=("compute",)).loadables} == {64}
        full = self.give(*libraries, capabilities=("compat32", "compute"))
        assert ("/usr/lib/i386-linux-gnu/libcuda.so.1", 32) in [(item.path, item.bits) for item in full.loadables]
        assert narrow.path in [mount.container_path for mount in full.mounts]

    def test_32_bit_libraries_of_other_capabilities_stay_out(self):
        narrow = library("libcuda.so.1.2", "libcuda.so.1", folder="/usr/lib/i386-linux-gnu", bits=32)
        assert self.give(narrow, capabilities=("compat32", "utility")).mounts == ()


class TestOtherParts:
    def test_programs_that_stand_apart_are_linked_to_where_they_are_looked_for(self):
        facts = changed(
            host(gpu(0)), binaries=(file("/usr/bin/nvidia-debugdump"), file("/home/kubernetes/bin/nvidia-smi"))
        )
        link = Link(path="/usr/bin/nvidia-smi", target="/home/kubernetes/bin/nvidia-smi")
        assert [link for link in give(facts).links if "/bin/" in link.path] == [link]
        assert link not in give(facts, capabilities=("compute",)).links

    def test_sockets_are_writable_and_not_executable(self):
        facts = changed(host(gpu(0)), sockets=(file("/run/nvidia-persistenced/socket"), file("/tmp/nvidia-mps")))
        found = {
            mount.container_path: mount.options for mount in give(facts).mounts if "lib" not in mount.container_path
        }
        assert set(found) == {"/run/nvidia-persistenced/socket", "/tmp/nvidia-mps"}
        assert set(found.values()) == {("nosuid", "nodev", "rbind", "rprivate", "noexec")}
        off = give(facts, policy=Policy(features=("disable-ipc-discoverer",)))
        assert not any("run" in mount.container_path for mount in off.mounts)

    def test_the_profile_and_the_masked_params_are_asked_for_where_they_apply(self):
        facts = changed(host(gpu(0)), params_modify_device_files=True)
        assert give(facts).mask_params
        assert give(facts).application_profile
        assert not give(facts, capabilities=("compute",)).application_profile

    @pytest.mark.parametrize(
        "policy", [Policy(cuda_compat_mode="disabled"), Policy(disabled_hooks=("enable-cuda-compat",))]
    )
    def test_compatibility_libraries_can_be_switched_off(self, policy):
        assert give(host(gpu(0))).driver_version == VERSION
        assert give(host(gpu(0)), policy=policy).driver_version == ""

    def test_a_gate_brings_its_nodes_where_the_host_has_them_and_no_second_void(self):
        facts = host(gpu(0), devices=(node("/dev/infiniband/uverbs0"),))
        injection = give(facts, gates=("gds", "mofed"))
        assert paths(injection)[-1] == "/dev/infiniband/uverbs0"
        assert injection.env.count("NVIDIA_VISIBLE_DEVICES=void") == 1

    def test_imex_channels_are_given_by_number_all_of_them_or_none(self):
        channels = tuple(node(f"/dev/nvidia-caps-imex-channels/channel{number}", number, 234) for number in (0, 2))
        facts = host(gpu(0), devices=channels)
        for asked, given in ((("2",), [2]), (("all",), [0, 2]), (("none",), []), (("02", "0"), [2, 0])):
            found = give(facts, imex_channels=asked).devices
            assert [n.minor for n in found if "imex" in n.path] == given

    @pytest.mark.parametrize("asked", ["x", "-1", str(1 << 20), "٣"])
    def test_what_is_no_channel_is_refused(self, asked):
        with pytest.raises(RequestError, match="is not an IMEX channel"):
            give(host(gpu(0)), imex_channels=(asked,))

    def test_a_channel_that_does_not_exist_is_refused(self):
        with pytest.raises(DeviceNotFound, match="IMEX channel 0 was asked for, but this host has none") as caught:
            give(host(gpu(0)), imex_channels=("0",))
        assert "ignore-imex-channel-requests" in caught.value.hint


class TestMigAsAWhole:
    caps = {"config": 1, "monitor": 2, "gpu0/gi1/access": 12, "gpu0/gi1/ci0/access": 13, "gpu1/gi1/access": 22}
    nodes = tuple(node(f"/dev/nvidia-caps/nvidia-cap{minor}", minor, 235) for minor in (1, 2, 12, 22))
    facts = changed(host(gpu(0, mig_enabled=True), gpu(1), devices=nodes), caps=caps)

    def test_config_opens_its_own_node_and_those_of_the_visible_gpus(self):
        assert paths(give(self.facts, "0", mig_config="all"))[:3] == [
            "/dev/nvidia0",
            "/dev/nvidia-caps/nvidia-cap1",
            "/dev/nvidia-caps/nvidia-cap12",
        ]

    def test_all_means_whole_gpus_then_those_without_mig_devices_too(self):
        found = paths(give(self.facts, mig_monitor="all"))
        assert found[:3] == ["/dev/nvidia0", "/dev/nvidia1", "/dev/nvidia-caps/nvidia-cap2"]
        assert "/dev/nvidia-caps/nvidia-cap22" in found

    def test_single_mig_devices_do_not_go_with_it(self):
        facts = host(gpu(0, mig=[mig(0, 0)]))
        with pytest.raises(RequestError, match="MIG device 0:0 was asked for together with MIG's config"):
            give(facts, "0:0", mig_config="all")

    def test_a_host_without_that_node_is_an_error(self):
        with pytest.raises(HostError, match="no device node for MIG's config"):
            give(host(gpu(0)), mig_config="all")


def file(path):
    return File(path=path, host_path=path)
