import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.formats import cdi
from linkspan.formats.cdi import QualifiedName, lowest_version, needed_version, parse_name


def spec(*, edits=None, device=None, **fields):
    device = {"name": "gpu", "containerEdits": {"env": ["A=1"]}} | (device or {})
    return {
        "cdiVersion": "0.3.0",
        "kind": "nvidia.com/gpu",
        "devices": [device],
        "containerEdits": edits or {},
    } | fields


@pytest.mark.parametrize("text", ["nvidia.com/gpu=0", "nvidia.com/gpu=GPU-0a:1", "a/b=c", "A-b_c.d/e.f=9", "v/c=0:1"])
def test_a_qualified_name_is_split_and_put_together_again(text):
    assert str(parse_name(text)) == text


def test_the_kind_is_vendor_and_class():
    name = parse_name("nvidia.com/gpu=all")
    assert name == QualifiedName("nvidia.com", "gpu", "all")
    assert name.kind == "nvidia.com/gpu"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "all",
        "nvidia.com/gpu",
        "nvidia.com/gpu=",
        "nvidia.com=0",
        "/gpu=0",
        "nvidia.com/=0",
        "/nvidia.com/gpu=0",
        "nvidia.com/gpu/x=0",
        "1vendor/gpu=0",
        "vendor./gpu=0",
        "vendor/gpu-=0",
        "vendor/gpu=0:",
        "vendor/gpu=-0",
        "vendor/gpu=a b",
        "vendor/gpu=0\n",
        "vendör/gpu=0",
        "vendor/gpu=٣",
    ],
)
def test_anything_else_is_no_qualified_name(text):
    assert parse_name(text) is None


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_whatever_is_a_name_survives_a_round_trip(text):
    name = parse_name(text)
    assert name is None or str(name) == text


@pytest.mark.parametrize(
    ("document", "version", "what"),
    [
        (spec(), "0.3.0", ""),
        (
            spec(edits={"mounts": [{"hostPath": "/a", "containerPath": "/a", "type": "bind"}]}),
            "0.4.0",
            "type of a mount",
        ),
        (spec(edits={"deviceNodes": [{"path": "/a", "hostPath": "/b"}]}), "0.5.0", "hostPath of a device node"),
        (spec(device={"name": "0"}), "0.5.0", "a device name that begins with a digit"),
        (spec(kind="nvidia.com/gpu.x"), "0.6.0", "a '.' in the class"),
        (spec(annotations={"a": "b"}), "0.6.0", "an annotation"),
        (spec(device={"annotations": {"a": "b"}}), "0.6.0", "an annotation"),
        (spec(edits={"additionalGids": [44]}), "0.7.0", "additionalGids"),
        (spec(edits={"intelRdt": {}}), "0.7.0", "intelRdt"),
        (spec(edits={"intelRdt": {"schemata": ["L3:0=f"]}}), "1.1.0", "schemata or enableMonitoring of intelRdt"),
        (
            spec(device={"containerEdits": {"netDevices": [{"hostInterfaceName": "e", "name": "f"}]}}),
            "1.1.0",
            "netDevices",
        ),
    ],
)
def test_the_lowest_version_follows_from_what_the_spec_uses(document, version, what):
    assert needed_version(document) == (version, what)
    assert lowest_version(document) == version


def test_a_feature_of_a_device_counts_like_one_of_the_spec():
    document = spec(device={"containerEdits": {"deviceNodes": [{"path": "/a", "hostPath": "/b"}]}})
    assert lowest_version(document) == "0.5.0"


def test_empty_lists_ask_for_nothing():
    assert lowest_version(spec(edits={"additionalGids": [], "netDevices": []}, annotations={})) == "0.3.0"


@pytest.mark.parametrize("broken", [{}, {"devices": 3}, {"devices": [None, 3]}, {"containerEdits": []}, {"kind": 5}])
def test_a_malformed_spec_has_a_lowest_version_all_the_same(broken):
    assert lowest_version(broken) in cdi.VERSIONS
