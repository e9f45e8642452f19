import copy

import pytest

from linkspan.formats.cdi_rules import Problem, problems

NODE = "devices[0].containerEdits.deviceNodes[0]"
VALID = {
    "cdiVersion": "1.1.0",
    "kind": "nvidia.com/gpu",
    "annotations": {"example.com/Key": "value"},
    "devices": [
        {
            "name": "0",
            "annotations": {"key": "value"},
            "containerEdits": {
                "deviceNodes": [
                    {
                        "path": "/dev/nvidia0",
                        "hostPath": "/r/dev/nvidia0",
                        "type": "c",
                        "major": 195,
                        "minor": 0,
                        "fileMode": 438,
                        "permissions": "rwm",
                        "uid": 0,
                        "gid": 44,
                    }
                ]
            },
        },
        {"name": "rdt", "containerEdits": {"intelRdt": {}}},
    ],
    "containerEdits": {
        "env": ["A=b=c", "EMPTY="],
        "netDevices": [{"hostInterfaceName": "eth0", "name": "net0"}],
        "hooks": [
            {"hookName": "createContainer", "path": "/bin/h", "args": ["h"], "env": ["PATH=/bin"], "timeout": 3},
        ],
        "mounts": [{"hostPath": "/a", "containerPath": "/a", "options": ["ro"], "type": "bind"}],
        "intelRdt": {"closID": "x", "l3CacheSchema": "", "schemata": ["a"], "enableMonitoring": True},
        "additionalGids": [44],
    },
}


def with_value(value, *where):
    """The valid spec with one value replaced, or taken away where the value is ``...``."""
    document = copy.deepcopy(VALID)
    *parents, last = where
    place = document
    for step in parents:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


def told(document):
    return [(problem.address, problem.reason) for problem in problems(document)]


def test_a_valid_spec_has_no_problems():
    assert problems(VALID) == []


def test_null_counts_as_absent():
    assert problems(with_value(None, "containerEdits", "env")) == []
    assert told(with_value(None, "kind")) == [("kind", "is missing")]


EDITS = ("containerEdits",)
FIRST_NODE = ("devices", 0, "containerEdits", "deviceNodes", 0)


@pytest.mark.parametrize(
    ("value", "where", "address", "reason"),
    [
        (..., ("cdiVersion",), "cdiVersion", "is missing"),
        ("0.9.0", ("cdiVersion",), "cdiVersion", "is '0.9.0', not one of"),
        (5, ("cdiVersion",), "cdiVersion", "is a number, not a text"),
        ("1.0.0", ("cdiVersion",), "cdiVersion", "is 1.0.0, but netDevices needs at least 1.1.0"),
        ("gpu", ("kind",), "kind", "is 'gpu', not VENDOR/CLASS"),
        ("1x/gpu", ("kind",), "kind", "has the vendor '1x'"),
        ("x/gpu/y", ("kind",), "kind", "has the class 'gpu/y'"),
        (..., ("devices",), "devices", "is missing"),
        ([], ("devices",), "devices", "holds no device"),
        ({}, ("devices",), "devices", "is a mapping, not a list"),
        (None, ("devices", 0), "devices[0]", "is nothing, not a mapping"),
        ("-", ("devices", 0, "name"), "devices[0].name", "is '-': it must begin"),
        ("rdt", ("devices", 0, "name"), "devices[1].name", "is 'rdt', as in devices[0]"),
        ({}, ("devices", 0, "containerEdits"), "devices[0].containerEdits", "is empty"),
        (..., ("devices", 0, "containerEdits"), "devices[0].containerEdits", "is empty"),
        ({"x": 1}, ("annotations",), "annotations.x", "is a number, not a text"),
        ({"-x": ""}, ("annotations",), "annotations['-x']", "is not a key such as"),
        ({"UPPER_/x": ""}, ("annotations",), "annotations['UPPER_/x']", "is not a key such as"),
        ({"x" * 64: ""}, ("annotations",), "annotations." + "x" * 64, "is not a key such as"),
        ({"k": "v" * 262144}, ("annotations",), "annotations", "holds 262145 bytes"),
        ([], ("annotations",), "annotations", "is a list, not a mapping"),
        ("", (*FIRST_NODE, "path"), f"{NODE}.path", "is empty"),
        (..., (*FIRST_NODE, "path"), f"{NODE}.path", "is missing"),
        ("x", (*FIRST_NODE, "type"), f"{NODE}.type", "is 'x', not one of b, c, u, p"),
        ("rwx", (*FIRST_NODE, "permissions"), f"{NODE}.permissions", "is 'rwx', but may hold only"),
        (-1, (*FIRST_NODE, "major"), f"{NODE}.major", "is -1, not between 0 and"),
        ("195", (*FIRST_NODE, "major"), f"{NODE}.major", "is a text, not a whole number"),
        (True, (*FIRST_NODE, "minor"), f"{NODE}.minor", "is true or false, not a whole number"),
        (1.5, (*FIRST_NODE, "minor"), f"{NODE}.minor", "is a number, not a whole number"),
        (2**32, (*FIRST_NODE, "uid"), f"{NODE}.uid", "is 4294967296, not between"),
        (1, (*FIRST_NODE, "Major"), f"{NODE}.Major", "is not a field that CDI knows here: path,"),
        (["=x"], (*EDITS, "env"), "containerEdits.env[0]", "is '=x', not NAME=VALUE"),
        (["x"], (*EDITS, "env"), "containerEdits.env[0]", "is 'x', not NAME=VALUE"),
        (["A=\ud800"], (*EDITS, "env"), "containerEdits.env[0]", "is not valid Unicode"),
        ("x", (*EDITS, "hooks", 0, "hookName"), "containerEdits.hooks[0].hookName", "is 'x', not one of prestart,"),
        ("", (*EDITS, "hooks", 0, "path"), "containerEdits.hooks[0].path", "is empty"),
        (["x"], (*EDITS, "hooks", 0, "env"), "containerEdits.hooks[0].env[0]", "is 'x', not NAME=VALUE"),
        ("", (*EDITS, "mounts", 0, "hostPath"), "containerEdits.mounts[0].hostPath", "is empty"),
        (..., (*EDITS, "mounts", 0, "containerPath"), "containerEdits.mounts[0].containerPath", "is missing"),
        ("a/b", (*EDITS, "intelRdt", "closID"), "containerEdits.intelRdt.closID", "'a/b' cannot be a folder name"),
        (
            "yes",
            (*EDITS, "intelRdt", "enableMonitoring"),
            "containerEdits.intelRdt.enableMonitoring",
            "is a text, not true",
        ),
        ("", (*EDITS, "netDevices", 0, "name"), "containerEdits.netDevices[0].name", "is empty"),
        ([-1], (*EDITS, "additionalGids"), "containerEdits.additionalGids[0]", "is -1, not between"),
        ([], EDITS, "containerEdits", "is a list, not a mapping"),
    ],
)
def test_each_broken_rule_is_told_with_its_address(value, where, address, reason):
    [(found_address, found_reason)] = [
        problem for problem in told(with_value(value, *where)) if not problem[1].startswith("is not one the")
    ]
    assert found_address == address
    assert found_reason.startswith(reason)


def test_the_names_of_a_network_interface_are_given_once():
    twice = [{"hostInterfaceName": "e", "name": "n"}] * 2
    assert told(with_value(twice, "containerEdits", "netDevices")) == [
        ("containerEdits.netDevices[1].hostInterfaceName", "is 'e', as in containerEdits.netDevices[0]"),
        ("containerEdits.netDevices[1].name", "is 'n', as in containerEdits.netDevices[0]"),
    ]


def test_the_root_control_group_may_be_named():
    assert problems(with_value("/", "containerEdits", "intelRdt", "closID")) == []


def test_all_problems_are_told_at_once():
    document = with_value("0.1", "cdiVersion")
    document["kind"] = ""
    document["devices"][0]["containerEdits"]["deviceNodes"][0]["path"] = ""
    assert [address for address, _ in told(document)] == ["cdiVersion", "kind", f"{NODE}.path"]


@pytest.mark.parametrize("document", [None, [], "text", 5, True])
def test_what_is_no_mapping_is_no_spec(document):
    [problem] = problems(document)
    assert problem.address == ""
    assert problem.reason.endswith("not a mapping")


def test_a_field_name_that_is_no_word_is_quoted_in_the_address():
    assert Problem(("annotations", "a.b/c"), "").address == "annotations['a.b/c']"
