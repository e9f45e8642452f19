import pytest

from linkspan.emit import oci
from linkspan.errors import HostError
from linkspan.facts.model import DeviceNode
from linkspan.plan.model import Injection, Mount

GPU = DeviceNode(path="/dev/nvidia0", host_path="/root/dev/nvidia0", major=195, minor=0, mode=0o660, gid=44)


def at(path: str) -> DeviceNode:
    if path != "/root/dev/nvidia0":
        raise HostError(f"{path} is not there")
    return GPU


def no_node(path: str) -> DeviceNode:
    raise AssertionError(f"{path} was looked up")


def test_an_injection_becomes_nodes_with_their_rules_and_mounts():
    edits = oci.edits(Injection(devices=(GPU,), mounts=(Mount(host_path="/h/a", container_path="/a"),)), "x86_64")
    assert edits["devices"] == [
        {"path": "/dev/nvidia0", "type": "c", "major": 195, "minor": 0, "fileMode": 0o660, "gid": 44}
    ]
    assert edits["rules"] == [{"allow": True, "type": "c", "major": 195, "minor": 0, "access": "rwm"}]
    options = ["ro", "nosuid", "nodev", "rbind", "rprivate"]
    assert edits["mounts"] == [{"destination": "/a", "source": "/h/a", "options": options}]
    assert edits.keys() == {"devices", "rules", "mounts", "remove_hooks"}


def test_a_cdi_node_is_completed_from_the_host():
    node = {"path": "/dev/nvidia0", "hostPath": "/root/dev/nvidia0", "permissions": "rw"}
    edits = oci.from_cdi([{"deviceNodes": [node]}], at)
    assert edits["devices"] == [{"path": "/dev/nvidia0", "type": "c", "major": 195, "minor": 0, "fileMode": 0o660}]
    assert edits["rules"][0]["access"] == "rw"


def test_a_cdi_node_that_says_all_is_not_looked_up():
    node = {"path": "/dev/x", "type": "u", "major": 10, "minor": 1, "fileMode": 438, "uid": 5, "gid": 6}
    edits = oci.from_cdi([{"deviceNodes": [node]}], no_node)
    expected = {"path": "/dev/x", "type": "c", "major": 10, "minor": 1, "fileMode": 438, "uid": 5, "gid": 6}
    assert edits["devices"] == [expected]


def test_a_fifo_needs_no_cgroup_rule():
    node = {"path": "/run/f", "type": "p", "fileMode": 438}
    edits = oci.from_cdi([{"deviceNodes": [node]}], no_node)
    assert edits["devices"][0]["type"] == "p"
    assert "rules" not in edits


@pytest.mark.parametrize("wrong", [{"major": 511}, {"minor": 3}, {"type": "b"}])
def test_a_cdi_node_whose_numbers_are_no_longer_true_is_refused(wrong):
    with pytest.raises(HostError, match="but the node here has"):
        oci.from_cdi([{"deviceNodes": [{"path": "/dev/nvidia0", "hostPath": "/root/dev/nvidia0", **wrong}]}], at)


def test_cdi_edits_are_merged_in_order_each_once():
    first = {
        "env": ["A=1", "B=1"],
        "mounts": [{"hostPath": "/h", "containerPath": "/c", "options": ["ro"], "type": "bind"}],
        "hooks": [{"hookName": "createContainer", "path": "/bin/h", "args": ["h"]}],
        "additionalGids": [44],
        "intelRdt": {"closID": "x"},
    }
    second = {
        "env": ["A=2"],
        "mounts": [{"hostPath": "/h", "containerPath": "/c", "options": ["ro"], "type": "bind"}],
        "additionalGids": [44, 5],
        "netDevices": [{"hostInterfaceName": "eth7", "name": "eth0"}],
    }
    edits = oci.from_cdi([first, second], no_node)
    assert edits == {
        "env": ["A=2", "B=1"],
        "mounts": [{"destination": "/c", "source": "/h", "type": "bind", "options": ["ro"]}],
        "gids": [44, 5],
        "hooks": {"createContainer": [{"path": "/bin/h", "args": ["h"]}]},
        "other": {"intelRdt": {"closID": "x"}, "netDevices": {"eth7": {"name": "eth0"}}},
        "remove_hooks": list(oci.NVIDIA_HOOKS),
    }
