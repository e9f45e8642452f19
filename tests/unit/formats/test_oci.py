import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import FormatError
from linkspan.formats import oci


@pytest.mark.parametrize(
    ("argv", "create"),
    [
        (["create", "c1"], True),
        (["--root", "/r", "--log", "l", "create", "--bundle", "/b", "c1"], True),
        (["create", "--bundle", "create", "c1"], True),
        (["state", "--bundle", "create"], False),
        (["delete", "-b", "create"], False),
        (["start", "c1"], False),
        (["exec", "create"], True),  # as the toolkit: the bare word counts wherever it stands
        ([], False),
    ],
)
def test_create_is_any_bare_word_that_is_not_a_bundle(argv, create):
    assert oci.is_create(argv) is create


@pytest.mark.parametrize(
    ("argv", "bundle"),
    [
        (["create", "c1"], "."),
        (["create", "--bundle", "/a", "c1"], "/a"),
        (["create", "-b", "/a", "c1"], "/a"),
        (["create", "--bundle=/a=b", "c1"], "/a=b"),
        (["create", "---bundle", "/a", "-b=/z"], "/z"),
    ],
)
def test_the_last_bundle_flag_wins_with_any_number_of_dashes(argv, bundle):
    assert oci.bundle_of(argv) == bundle


def test_a_bundle_flag_without_a_value_is_refused():
    with pytest.raises(FormatError, match="--bundle has no value"):
        oci.bundle_of(["create", "--bundle"])


@pytest.mark.parametrize(
    ("argv", "log"),
    [
        (["--log", "/l.json", "--log-format", "json", "create"], ("/l.json", "json")),
        (["--log=/l", "create"], ("/l", "text")),
        (["create", "--log"], ("", "text")),
        (["create"], ("", "text")),
    ],
)
def test_the_log_is_the_one_that_the_engine_reads(argv, log):
    assert oci.log_of(argv) == log


def test_a_view_is_the_same_in_whatever_order_the_variables_come():
    first, last, other = "NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_VISIBLE_DEVICES=1", "CUDA_VERSION=12"
    views = [
        oci.request_view({"process": {"env": env}}, [], [])["env"]
        for env in ([first, last, other], [other, first, last], [first, other, last])
    ]
    assert views == [[other, first, last]] * 3


def test_a_view_keeps_what_can_be_a_request_and_nothing_else():
    spec = {
        "process": {
            "env": ["PATH=/bin", "NVIDIA_VISIBLE_DEVICES=0", "CUDA_VERSION=12", "DOCKER_RESOURCE_GPU=1", "NOEQ", "X=1"],
            "capabilities": {"bounding": ["CAP_SYS_ADMIN"]},
        },
        "annotations": {"cdi.k8s.io/b": "2", "cdi.k8s.io/a": "1", "other": "3"},
        "mounts": [
            {"destination": "/var/run/nvidia-container-devices/0", "source": "/dev/null"},
            {"destination": "/var/run/nvidia-container-devices-foo/0", "source": "/dev/null"},
            {"destination": "/var/run//nvidia-container-devices/../nvidia-container-devices/1"},
            {"destination": "/proc"},
        ],
    }
    assert oci.request_view(spec, ["DOCKER_RESOURCE_GPU"], ["cdi.k8s.io/"]) == {
        "env": ["CUDA_VERSION=12", "DOCKER_RESOURCE_GPU=1", "NOEQ", "NVIDIA_VISIBLE_DEVICES=0"],
        "annotations": {"cdi.k8s.io/a": "1", "cdi.k8s.io/b": "2"},
        "mounts": [
            ["/dev/null", "/var/run/nvidia-container-devices/0"],
            ["", "/var/run//nvidia-container-devices/../nvidia-container-devices/1"],
        ],
        "privileged": True,
    }


@pytest.mark.parametrize(
    "spec",
    [
        {"process": "x"},
        {"process": {"env": [1]}},
        {"annotations": [1]},
        {"mounts": [{}]},
        {"mounts": [None]},
        {"process": {"capabilities": {"bounding": 3}}},
    ],
)
def test_fields_of_the_wrong_type_are_refused_as_not_oci(spec):
    with pytest.raises(FormatError, match="not an OCI runtime specification"):
        oci.request_view(spec, (), ("cdi.k8s.io/",))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("process", "annotations", "mounts"), json_values)))
def test_an_arbitrary_specification_gives_a_view_or_a_format_error(spec):
    try:
        view = oci.request_view(spec, (), ("x",))
    except FormatError:
        return
    assert set(view) == {"env", "annotations", "mounts", "privileged"}
