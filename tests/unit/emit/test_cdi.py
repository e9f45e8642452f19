import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.emit import cdi, cdi_origin
from linkspan.emit.cdi import container_edits, document, to_json, to_yaml
from linkspan.emit.cdi_origin import Origin
from linkspan.facts.model import DeviceNode, Driver, HostFacts, Library, Link, Stamp
from linkspan.formats.cdi_reader import read
from linkspan.plan.model import CdiDevice, CdiPlan, Injection, Loadable, Mount

HOOK = "/usr/lib/linkspan/linkspan-hook"


def node(path, *, major=195, minor=0, host_path=None, mode=0o666, gid=0):
    return DeviceNode(path=path, host_path=host_path or path, major=major, minor=minor, mode=mode, gid=gid)


def plan(*devices, common=None, kind="nvidia.com/gpu"):
    return CdiPlan(kind=kind, devices=devices, common=common or Injection())


def gpu(name, **edits):
    edits.setdefault("devices", (node("/dev/nvidia0"),))
    return CdiDevice(name=name, edits=Injection(**edits))


def test_a_spec_has_its_fields_in_the_order_of_the_toolkit():
    common = Injection(
        gids=(44,),
        mounts=(Mount(host_path="/a", container_path="/a"),),
        links=(Link(path="/l", target="t"),),
        devices=(node("/dev/nvidiactl", minor=255),),
        env=("A=b",),
    )
    spec = document(plan(gpu("0"), common=common), HOOK)
    assert list(spec) == ["cdiVersion", "kind", "devices", "containerEdits"]
    assert list(spec["containerEdits"]) == ["env", "deviceNodes", "hooks", "mounts", "additionalGids"]


def test_the_version_is_the_lowest_that_will_do():
    assert document(plan(gpu("gpu0")), HOOK)["cdiVersion"] == "0.3.0"
    assert document(plan(gpu("0")), HOOK)["cdiVersion"] == "0.5.0"
    assert document(plan(gpu("gpu0", gids=(44,))), HOOK)["cdiVersion"] == "0.7.0"


def test_devices_are_sorted_by_name():
    spec = document(plan(gpu("all"), gpu("GPU-1"), gpu("10"), gpu("2")), HOOK)
    assert [device["name"] for device in spec["devices"]] == ["10", "2", "GPU-1", "all"]


def test_a_spec_without_common_edits_has_no_field_for_them():
    assert "containerEdits" not in document(plan(gpu("0")), HOOK)


def test_annotations_of_a_device_stand_between_its_name_and_its_edits():
    device = CdiDevice(name="0", edits=gpu("0").edits, annotations={"a": "b"})
    assert list(document(plan(device), HOOK)["devices"][0]) == ["name", "annotations", "containerEdits"]


def test_a_node_says_where_it_stands_on_the_host_only_where_that_is_elsewhere():
    edits = container_edits(Injection(devices=(node("/dev/a"), node("/dev/b", host_path="/root/dev/b"))), HOOK)
    assert [entry.get("hostPath") for entry in edits["deviceNodes"]] == [None, "/root/dev/b"]


def test_a_node_leaves_out_zero_numbers_and_the_root_group():
    [entry] = container_edits(Injection(devices=(node("/dev/a", major=0),)), HOOK)["deviceNodes"]
    assert entry == {"path": "/dev/a", "fileMode": 0o666, "permissions": "rwm"}
    [entry] = container_edits(Injection(devices=(node("/dev/a", minor=3, gid=44),)), HOOK)["deviceNodes"]
    assert entry == {
        "path": "/dev/a", "major": 195, "minor": 3, "fileMode": 0o666, "permissions": "rwm", "gid": 44,
    }  # fmt: skip


def test_nodes_and_mounts_are_sorted_by_depth_and_then_by_path():
    paths = ["/c/d/e", "/b", "/c/d", "/a//x/../y", "/a"]
    mounts = tuple(Mount(host_path="/h", container_path=path) for path in paths)
    edits = container_edits(Injection(mounts=mounts, devices=tuple(map(node, paths))), HOOK)
    ordered = ["/a", "/b", "/a//x/../y", "/c/d", "/c/d/e"]
    assert [entry["containerPath"] for entry in edits["mounts"]] == ordered
    assert [entry["path"] for entry in edits["deviceNodes"]] == ordered


def test_duplicates_are_dropped():
    edits = container_edits(Injection(env=("A=b", "C=d", "A=b"), devices=(node("/dev/a"), node("/dev/a"))), HOOK)
    assert edits["env"] == ["A=b", "C=d"]
    assert len(edits["deviceNodes"]) == 1


def test_everything_inside_the_root_is_one_hook_with_an_environment_of_its_own():
    injection = Injection(
        links=(Link(path="/lib/x.so", target="x.so.1"),),
        loadables=(Loadable(path="/lib/x.so.1"), Loadable(path="/lib32/x.so.1", bits=32)),
        driver_version="550.1",
        mask_params=True,
        application_profile=True,
    )
    [hook] = container_edits(injection, HOOK)["hooks"]
    assert list(hook) == ["hookName", "path", "args", "env"]
    assert hook["hookName"] == "createContainer"
    assert hook["path"] == HOOK
    assert hook["args"][:4] == ["linkspan-hook", "create-container", "--link", "x.so.1::/lib/x.so"]
    assert hook["env"]


def test_edits_that_need_nothing_inside_the_root_have_no_hook():
    assert "hooks" not in container_edits(Injection(env=("A=b",)), HOOK)


def test_a_device_with_links_of_its_own_has_a_hook_of_its_own():
    link = Link(path="/dev/dri/by-path/pci-0-card", target="../card0")
    with_link, without = document(plan(gpu("0", links=(link,)), gpu("1")), HOOK)["devices"]
    [hook] = with_link["containerEdits"]["hooks"]
    assert hook["args"] == ["linkspan-hook", "create-container", "--link", "../card0::/dev/dri/by-path/pci-0-card"]
    assert "hooks" not in without["containerEdits"]


def test_what_all_devices_share_is_not_repeated_in_one():
    common = Injection(env=("A=b",), devices=(node("/dev/nvidiactl", minor=255),))
    device = gpu("0", env=("A=b", "C=d"), devices=(node("/dev/nvidiactl", minor=255), node("/dev/nvidia0")))
    edits = document(plan(device, common=common), HOOK)["devices"][0]["containerEdits"]
    assert edits["env"] == ["C=d"]
    assert [entry["path"] for entry in edits["deviceNodes"]] == ["/dev/nvidia0"]


def test_a_device_that_adds_nothing_repeats_the_common_edits_to_stay_valid():
    spec = document(plan(gpu("0", devices=(), env=("A=b",)), common=Injection(env=("A=b",))), HOOK)
    assert spec["devices"][0]["containerEdits"] == {"env": ["A=b"]}


def test_yaml_has_the_indentation_of_the_toolkit():
    spec = {"a": {"b": [{"c": "1", "d": {"e": [1, "x"]}}, [2]]}, "f": [], "g": {}}
    assert to_yaml(spec) == (
        "---\na:\n    b:\n        - c: \"1\"\n          d:\n            e:\n                - 1\n                - x\n"
        "        - - 2\nf: []\ng: {}\n"
    )  # fmt: skip


def test_a_remark_is_a_comment_below_the_start_of_the_document():
    assert to_yaml({"a": 1}, "so it is") == "---\n# so it is\na: 1\n"


def test_json_is_one_line_without_a_newline():
    assert to_json({"a": [1, "ü"], "b": {}}) == '{"a":[1,"ü"],"b":{}}'


@pytest.mark.parametrize(
    "text",
    [
        "/dev/nvidia0",
        "../x.so::/usr/lib/x",
        "--link",
        "GPU-0a",
        "MIG-1",
        "A=b",
        "0.5.0",
        "void",
        "rwm",
        "nvidia.com/gpu",
    ],
)
def test_texts_that_can_only_be_texts_are_plain(text):
    assert to_yaml({"a": text}) == f"---\na: {text}\n"


@pytest.mark.parametrize(
    "text", ["", "0", "0:1", "1e3", ".5", "-", "-1", "yes", "Null", "off", "~", "a: b", "a #b", "a:", "2001-01-01"]
)
def test_texts_that_could_be_something_else_are_quoted(text):
    assert to_yaml({"a": text}) == f'---\na: "{text}"\n'


def test_quotes_and_control_characters_are_escaped():
    assert to_yaml({"a": 'q"\\\n\u2028'}) == '---\na: "q\\"\\\\\\U0000000a\\U00002028"\n'


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_VALUES = st.recursive(
    _TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(_TEXTS, _VALUES, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_every_document_reads_back_the_same_from_both_syntaxes(spec):
    assert read(to_yaml(spec).encode()).document == spec
    assert json.loads(to_json(spec)) == spec


def origin(*stamps):
    library = Library(path="/lib/\nx", host_path="/root/lib/\nx")
    stamps = stamps or (Stamp(kind="file", path="/root/lib/\nx", value="1:2:3"),)
    return cdi_origin.of(HostFacts(driver=Driver(version="550.1"), libraries=(library,), stamps=stamps))


def test_the_origin_has_the_stamps_of_what_the_spec_names_and_no_others():
    version = Stamp(kind="text", path="/proc/driver/nvidia/version", value="v")
    gpu0 = Stamp(kind="node", path="/dev/nvidia0", value="195:0")
    library = Stamp(kind="file", path="/root/lib/\nx", value="1:2:3")
    more = (Stamp(kind="file", path="/etc/ld.so.cache", value="1:2:3"), Stamp(kind="absent", path="/dev/nvidia1"))
    assert origin(version, gpu0, library, *more).stamps == (version, gpu0, library)


def test_the_origin_is_written_as_a_remark_and_read_back():
    text = to_yaml({"a": 1}, cdi_origin.remark(origin()))
    assert text.count("\n") == 3
    assert cdi_origin.read(text.encode()) == origin()
    assert origin().driver == "550.1"


@pytest.mark.parametrize("text", [b"", b"---", b"---\nkind: x\n", b"---\n# linkspan: {", b'---\n# linkspan: {"x":1}\n'])
def test_a_spec_without_a_readable_origin_has_none(text):
    assert cdi_origin.read(text) is None


def test_the_same_facts_make_the_same_text():
    assert to_yaml(document(plan(gpu("0")), HOOK)) == to_yaml(document(plan(gpu("0")), HOOK))
    assert cdi.to_yaml({}, cdi_origin.remark(Origin())) == cdi.to_yaml({}, cdi_origin.remark(Origin()))
