"""What dockerd keeps of its containers, read where anything may stand."""

import json

import pytest

from linkspan.sim.processes import process
from tests.unit.check.scenes import scene

PATH = "/var/lib/docker/containers/{}/config.v2.json"
DOCKERD = process(800, ["/usr/bin/dockerd", "-H", "fd://"])


def config(**state: object) -> str:
    return json.dumps({"Name": "/web", "State": state, "Config": {"Env": ["NVIDIA_VISIBLE_DEVICES=all", "TOKEN=abc"]}})


def test_a_failed_start_is_read_with_what_was_asked_for(tmp_path):
    asked = {
        "Runtime": "nvidia",
        "DeviceRequests": [
            {"Driver": "", "Count": -1, "DeviceIDs": None, "Capabilities": [["gpu", "compute"]]},
            {"Driver": "cdi", "Count": 0, "DeviceIDs": ["nvidia.com/gpu=0"], "Capabilities": None},
        ],
    }
    folder = "/var/lib/docker/containers/ab"
    found = scene(
        tmp_path,
        {**DOCKERD, f"{folder}/config.v2.json": config(Error="no"), f"{folder}/hostconfig.json": json.dumps(asked)},
    ).docker_records
    assert [(one.error, one.runtime, one.title) for one in found] == [("no", "nvidia", "container web")]
    assert [(one.driver, one.count, one.ids, one.capabilities) for one in found[0].requests] == [
        ("", -1, (), ("gpu", "compute")),
        ("cdi", 0, ("nvidia.com/gpu=0",), ()),
    ]


def test_variables_that_may_hold_secrets_are_not_remembered(tmp_path):
    look = scene(tmp_path, {**DOCKERD, PATH.format("ab"): config()})
    assert look.docker_records[0].env == {"NVIDIA_VISIBLE_DEVICES": "all"}
    assert not any("TOKEN" in str(value) or "abc" in str(value) for value in look.eyes._ledger.known.values())


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '"text"', '{"State": 5, "Config": [1]}', '{"Config": {"Env": "A=B", "Labels": []}, "Name": 7}'],
)
def test_a_file_that_is_something_else_is_an_empty_record_at_most(tmp_path, content):
    found = scene(tmp_path, {**DOCKERD, PATH.format("ab"): content}).docker_records
    assert all(one.error == "" and one.env == {} for one in found)


@pytest.mark.parametrize(
    ("argv", "daemon", "root"),
    [
        (["dockerd"], "{}", "/var/lib/docker"),
        (["dockerd", "--data-root=/srv/d"], "{}", "/srv/d"),
        (["dockerd", "-g", "/srv/g"], "{}", "/srv/g"),
        (["dockerd"], '{"data-root": "/srv/j"}', "/srv/j"),
    ],
)
def test_containers_are_looked_for_where_this_dockerd_keeps_them(tmp_path, argv, daemon, root):
    files = {**process(800, argv, exe="/usr/bin/dockerd"), "/etc/docker/daemon.json": daemon}
    found = scene(tmp_path, {**files, f"{root}/containers/ab/config.v2.json": config()}).docker_records
    assert [one.id for one in found] == ["ab"]


def test_the_containers_of_a_users_dockerd_are_below_the_home(tmp_path):
    own = process(850, ["dockerd"], exe="/usr/bin/dockerd", uid=1000, env={"HOME": "/home/ada"})
    path = "/home/ada/.local/share/docker/containers/ab/config.v2.json"
    assert [one.id for one in scene(tmp_path, {**own, path: config()}).docker_records] == ["ab"]
