import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import LinkspanError, RequestError, RequirementError
from linkspan.plan.model import CAPABILITIES, ContainerView, Policy
from linkspan.plan.request import read_request

MOUNTS = "/var/run/nvidia-container-devices"


def read(*env, policy=None, platform="nvml", privileged=False, mounts=(), **annotations):
    view = ContainerView(
        env=env,
        annotations={f"cdi.k8s.io/{key}": value for key, value in annotations.items()},
        mounts=tuple(mounts),
        privileged=privileged,
    )
    return read_request(view, policy or Policy(), platform)


def visible(text, **more):
    return read(f"NVIDIA_VISIBLE_DEVICES={text}", **more)


def mount(name, source="/dev/null"):
    return (source, f"{MOUNTS}/{name}")


class TestEnvironment:
    @pytest.mark.parametrize(
        ("text", "devices"),
        [
            ("0,1", ("0", "1")),
            (" 0 , 1 ,", ("0", "1")),
            ("0,0,1,0", ("0", "1")),
            ("all", ("all",)),
            ("0,all", ("all",)),
            ("none", ("none",)),
            ("0,none", ("none",)),
            ("all,none", ("all",)),
            ("GPU-1234,0:1", ("GPU-1234", "0:1")),
            ("MIG-GPU-1234/1/0", ("MIG-GPU-1234/1/0",)),
            ("void", ()),
            ("0,void", ()),
            ("", ()),
            (",", ()),
        ],
    )
    def test_a_list_is_trimmed_freed_of_repeats_and_all_none_and_void_stand_alone(self, text, devices):
        request = visible(text)
        assert (request.devices, request.cdi_devices) == (devices, ())
        assert request.empty == (not devices)

    def test_the_last_of_several_values_counts(self):
        assert read("NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_VISIBLE_DEVICES=2").devices == ("2",)

    def test_a_value_may_hold_an_equals_sign(self):
        assert visible("nvidia.com/gpu=1").cdi_devices == ("nvidia.com/gpu=1",)

    @pytest.mark.parametrize("element", ["NOEQ", "", "A\nB"])
    def test_an_element_without_equals_sign_is_refused_even_without_a_request(self, element):
        with pytest.raises(RequestError) as caught:
            read("A=b", element)
        assert "without '='" in caught.value.message
        assert "\n" not in caught.value.message

    def test_nothing_asked_for_is_nothing(self):
        assert read().empty
        assert read("PATH=/bin").source == ""

    def test_capabilities_and_requirements_of_a_container_without_devices_do_not_matter(self):
        assert read("NVIDIA_DRIVER_CAPABILITIES=banana", "NVIDIA_REQUIRE_CUDA=nonsense").empty

    def test_a_swarm_resource_takes_the_place_of_the_variable(self):
        policy = Policy(swarm_resources=("DOCKER_RESOURCE_GPU", "OTHER"))
        request = read("NVIDIA_VISIBLE_DEVICES=7", "OTHER=1", "DOCKER_RESOURCE_GPU=0", policy=policy)
        assert request.devices == ("0", "1")
        assert request.source == "DOCKER_RESOURCE_GPU, OTHER"
        assert visible("7", policy=policy).devices == ("7",)


class TestLegacyImages:
    def test_a_legacy_image_gets_all_gpus_and_its_cuda_is_required(self):
        request = read("CUDA_VERSION=8.0.61")
        assert (request.devices, request.source, request.legacy_image) == (("all",), "CUDA_VERSION", True)
        assert [requirement.text for requirement in request.requirements] == ["cuda>=8.0"]

    def test_an_image_with_a_requirement_is_none(self):
        assert read("CUDA_VERSION=12.1.1", "NVIDIA_REQUIRE_CUDA=cuda>=12.1").empty

    def test_a_legacy_image_may_ask_for_less(self):
        assert read("CUDA_VERSION=8.0.61", "NVIDIA_VISIBLE_DEVICES=1").devices == ("1",)
        assert read("CUDA_VERSION=8.0.61", "NVIDIA_VISIBLE_DEVICES=").empty

    def test_a_legacy_image_asks_for_no_imex_channels(self):
        assert read("CUDA_VERSION=8.0.61").imex_channels == ()


class TestPrivilege:
    policy = Policy(env_when_unprivileged=False)

    def test_the_environment_does_not_count_and_that_is_said(self):
        request = visible("0", policy=self.policy)
        assert request.empty
        assert request.refused == "NVIDIA_VISIBLE_DEVICES does not count: the container lacks CAP_SYS_ADMIN"

    def test_a_privileged_container_is_served(self):
        assert visible("0", policy=self.policy, privileged=True).devices == ("0",)

    def test_a_mount_counts_all_the_same(self):
        policy = Policy(env_when_unprivileged=False, volume_mounts=True)
        assert visible("0", policy=policy, mounts=[mount("4")]).devices == ("4",)

    @pytest.mark.parametrize("variable", ["NVIDIA_MIG_CONFIG_DEVICES", "NVIDIA_MIG_MONITOR_DEVICES"])
    def test_mig_as_a_whole_takes_a_privileged_container(self, variable):
        env = ("NVIDIA_VISIBLE_DEVICES=all", f"{variable}=all")
        with pytest.raises(RequestError, match=f'{variable} asks for "all", but the container lacks CAP_SYS_ADMIN'):
            read(*env)
        request = read(*env, privileged=True)
        assert "all" in (request.mig_config, request.mig_monitor)

    def test_mig_as_a_whole_is_asked_for_by_all_alone(self):
        with pytest.raises(RequestError, match='NVIDIA_MIG_CONFIG_DEVICES is "0"'):
            read("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_MIG_CONFIG_DEVICES=0", privileged=True)


class TestMounts:
    policy = Policy(volume_mounts=True)

    def read(self, *mounts, policy=None):
        return visible("0", policy=policy or self.policy, mounts=mounts)

    def test_mounts_win_over_the_environment_in_their_order(self):
        request = self.read(mount("6"), mount("4"), mount("6"))
        assert request.devices == ("6", "4")
        assert request.source == f"mounts below {MOUNTS}"

    def test_mounts_count_only_where_the_configuration_says_so(self):
        assert self.read(mount("6"), policy=Policy()).devices == ("0",)

    @pytest.mark.parametrize(
        "other",
        [
            ("/dev/null", f"{MOUNTS}-foo/1"),
            ("/dev/null", MOUNTS),
            ("/dev/null", f"{MOUNTS}/"),
            ("/dev/zero", f"{MOUNTS}/1"),
            ("null", f"{MOUNTS}/1"),
            ("/dev/null", f"{MOUNTS}/../1"),
            ("/dev/null", f"{MOUNTS}/imex"),
            ("/dev/null", f"{MOUNTS}/cdi"),
        ],
    )
    def test_other_mounts_are_no_request(self, other):
        assert self.read(other).devices == ("0",)

    def test_paths_are_compared_once_they_are_clean(self):
        assert self.read(("//dev/./null", "//var/run//nvidia-container-devices/x/../GPU-1/")).devices == ("GPU-1",)

    @pytest.mark.parametrize("name", ["cdi/nvidia.com/gpu/1", "cdi/nvidia.com/gpu=1"])
    def test_a_cdi_device_is_spelled_by_its_path(self, name):
        assert self.read(mount(name)).cdi_devices == ("nvidia.com/gpu=1",)

    @pytest.mark.parametrize("name", ["cdi/nvidia.com/1", "cdi/a/b/c/d", "cdi/nvidia.com/gpu=", "cdi/x"])
    def test_a_cdi_device_that_is_not_spelled_out_is_refused(self, name):
        with pytest.raises(RequestError, match="does not spell a CDI device name"):
            self.read(mount(name))

    def test_imex_channels_have_a_folder_of_their_own(self):
        request = self.read(mount("imex/3"), mount("imex/1"))
        assert (request.devices, request.imex_channels) == (("0",), ("3", "1"))


class TestAnnotations:
    def test_in_auto_qualified_annotations_win_over_everything(self):
        request = visible("void", a="nvidia.com/gpu=0, nvidia.com/gpu=3", b="nvidia.com/gpu=0")
        assert request.cdi_devices == ("nvidia.com/gpu=0", "nvidia.com/gpu=3")
        assert request.source == "annotation cdi.k8s.io/a, cdi.k8s.io/b"

    @pytest.mark.parametrize("value", ["0", "nvidia.com/gpu=0,1", "nvidia.com/gpu", "", "nvidia.com/gpu=0,", "a b/c=d"])
    def test_a_malformed_annotation_is_refused_and_never_replaced_by_the_environment(self, value):
        with pytest.raises(RequestError, match="where a CDI device name has to stand"):
            visible("all", x=value)

    @pytest.mark.parametrize("mode", ["jit-cdi", "legacy", "csv"])
    def test_other_modes_do_not_look_at_annotations(self, mode):
        assert visible("void", policy=Policy(mode=mode), x="nvidia.com/gpu=0").empty
        assert visible("1", policy=Policy(mode=mode), x="nonsense").devices == ("1",)

    def test_mode_cdi_completes_bare_names(self):
        request = visible("7", policy=Policy(mode="cdi", default_kind="example.com/gpu"), x="0,nvidia.com/gpu=1")
        assert request.cdi_devices == ("example.com/gpu=0", "nvidia.com/gpu=1")

    def test_mode_cdi_refuses_what_no_completion_makes_a_name(self):
        with pytest.raises(RequestError):
            visible("7", policy=Policy(mode="cdi"), x="a/b")

    def test_only_keys_with_the_configured_prefixes_count(self):
        policy = Policy(annotation_prefixes=("other/",))
        assert visible("1", policy=policy, x="nonsense").devices == ("1",)


class TestQualifiedNames:
    def test_automatic_names_are_plain_ids_in_every_mode(self):
        for mode in ("auto", "jit-cdi", "cdi", "legacy", "csv"):
            request = visible("runtime.nvidia.com/gpu=1,runtime.nvidia.com/gpu=0", policy=Policy(mode=mode))
            assert (request.devices, request.cdi_devices) == (("1", "0"), ())

    def test_all_among_automatic_names_stands_alone(self):
        assert visible("runtime.nvidia.com/gpu=1,runtime.nvidia.com/gpu=all").devices == ("all",)

    def test_plain_ids_go_with_automatic_names(self):
        assert visible("0,runtime.nvidia.com/gpu=1,runtime.nvidia.com/gpu=0").devices == ("0", "1")

    @pytest.mark.parametrize("text", ["0,nvidia.com/gpu=1", "nvidia.com/gpu=1,runtime.nvidia.com/gpu=0"])
    def test_a_mixture_with_names_of_specs_is_refused_in_one_sentence(self, text):
        with pytest.raises(RequestError) as caught:
            visible(text)
        assert caught.value.message == (
            'NVIDIA_VISIBLE_DEVICES mixes "0", a plain id, with "nvidia.com/gpu=1", a CDI device name'
        )

    def test_in_mode_cdi_plain_ids_are_names_of_the_default_kind(self):
        policy = Policy(mode="cdi")
        assert visible("0,nvidia.com/gpu=1,0", policy=policy).cdi_devices == ("nvidia.com/gpu=0", "nvidia.com/gpu=1")
        assert visible("none", policy=policy).cdi_devices == ("nvidia.com/gpu=none",)
        assert visible("0,all", policy=policy).cdi_devices == ("nvidia.com/gpu=all",)

    def test_in_mode_cdi_automatic_names_go_with_no_others(self):
        with pytest.raises(RequestError, match="mixes"):
            visible("0,runtime.nvidia.com/gpu=1", policy=Policy(mode="cdi"))

    @pytest.mark.parametrize("mode", ["legacy", "csv"])
    def test_modes_without_specs_refuse_their_names(self, mode):
        with pytest.raises(RequestError, match=f"which mode {mode} cannot look up"):
            visible("nvidia.com/gpu=1", policy=Policy(mode=mode))

    @pytest.mark.parametrize("text", ["nvidia.com/gpu=", "gpu=0", "=0", "nvidia.com/gpu=0=1"])
    def test_a_name_that_is_no_name_is_refused(self, text):
        with pytest.raises(RequestError, match="which is not a CDI device name"):
            visible(text)


class TestCapabilities:
    @pytest.mark.parametrize(
        ("mode", "env", "expected"),
        [
            ("jit-cdi", (), None),
            ("jit-cdi", ("NVIDIA_DRIVER_CAPABILITIES=",), None),
            ("jit-cdi", ("NVIDIA_DRIVER_CAPABILITIES=utility, compute",), ("compute", "utility")),
            ("jit-cdi", ("NVIDIA_DRIVER_CAPABILITIES=all",), CAPABILITIES),
            ("legacy", (), ("compute", "utility")),
            ("legacy", ("CUDA_VERSION=11.0",), CAPABILITIES),
            ("legacy", ("NVIDIA_DRIVER_CAPABILITIES=video",), ("video",)),
        ],
    )
    def test_what_the_variable_means_depends_on_the_mode_where_it_is_not_set(self, mode, env, expected):
        assert read("NVIDIA_VISIBLE_DEVICES=0", *env, policy=Policy(mode=mode)).capabilities == expected


class TestOtherVariables:
    def test_gates_are_open_where_the_value_is_just_that_word(self):
        env = ("NVIDIA_MOFED=enabled", "NVIDIA_GDS=enabled", "NVIDIA_GDRCOPY=Enabled", "NVIDIA_NVSWITCH=1")
        assert read("NVIDIA_VISIBLE_DEVICES=0", *env).gates == ("gds", "mofed")

    def test_all_csv_files_are_asked_for_by_name(self):
        assert visible("0").csv_all is False
        assert read("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_REQUIRE_JETPACK=csv-mounts=all").csv_all

    def test_requirements_can_be_switched_off_by_the_configuration(self):
        env = ("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_REQUIRE_CUDA=nonsense")
        assert read(*env, policy=Policy(disable_require=True)).requirements == ()
        with pytest.raises(RequirementError):
            read(*env)

    @pytest.mark.parametrize(
        ("text", "channels"), [("0,1,0", ("0", "1")), ("all", ("all",)), ("0,all", ("all",)), ("void", ()), ("", ())]
    )
    def test_imex_channels_follow_the_grammar_of_devices(self, text, channels):
        env = ("NVIDIA_VISIBLE_DEVICES=0", f"NVIDIA_IMEX_CHANNELS={text}")
        assert read(*env).imex_channels == channels
        assert read(*env, policy=Policy(ignore_imex=True)).imex_channels == ()

    def test_imex_channels_of_the_environment_need_the_same_privilege(self):
        policy = Policy(env_when_unprivileged=False, volume_mounts=True)
        request = read("NVIDIA_IMEX_CHANNELS=0", policy=policy, mounts=[mount("4")])
        assert (request.devices, request.imex_channels) == (("4",), ())


TEXT = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(["0", " 1 ", "all", "none", "void", "", "GPU-1", "0:0", "nvidia.com/gpu=0", "a/b", "x=", "/"])
    ).map(",".join),
)


ENV = st.dictionaries(
    st.sampled_from(
        ["NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "CUDA_VERSION", "NVIDIA_IMEX_CHANNELS", "SWARM"]
    ),
    TEXT,
).map(lambda env: [f"{name}={value}" for name, value in env.items()])
VIEWS = st.builds(
    ContainerView,
    env=st.tuples(ENV, st.lists(st.text(max_size=10), max_size=1)).map(lambda parts: (*parts[0], *parts[1])),
    annotations=st.dictionaries(st.sampled_from(["cdi.k8s.io/a", "cdi.k8s.io/b"]), TEXT, max_size=1),
    mounts=st.lists(st.tuples(st.just("/dev/null"), TEXT.map(lambda text: f"{MOUNTS}/{text}")), max_size=2).map(tuple),
    privileged=st.booleans(),
)
POLICIES = st.builds(
    Policy,
    mode=st.sampled_from(["auto", "legacy", "csv", "cdi", "jit-cdi"]),
    volume_mounts=st.booleans(),
    env_when_unprivileged=st.booleans(),
    swarm_resources=st.sampled_from([(), ("SWARM",)]),
)


@given(view=VIEWS, policy=POLICIES, platform=st.sampled_from(["nvml", "wsl", "tegra", "none"]))
@settings(max_examples=300, deadline=None)
def test_an_arbitrary_container_is_read_or_refused_in_one_line(view, policy, platform):
    try:
        request = read_request(view, policy, platform)
    except LinkspanError as error:
        assert error.message.isprintable()
    else:
        assert not (request.devices and request.cdi_devices)
        assert len(set(request.devices)) == len(request.devices)
        assert not {"all", "none"}.intersection(request.devices) or len(request.devices) == 1
