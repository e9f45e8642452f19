"""linkspan as a library: the same answers as on every other path, from facts alone."""

import copy
import json
import os
import subprocess
import sys
from typing import Any

import pytest

import linkspan
from linkspan.facts import snapshot
from tests.unit.plan import hosts

CONFIG: dict[str, Any] = {
    "process": {"env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    "linux": {"resources": {"devices": [{"allow": False, "access": "rwm"}]}},
    "x-unknown": {"stays": [1, None]},
}


@pytest.fixture(scope="module")
def facts() -> linkspan.HostFacts:
    return hosts.h100x8()


def nodes(config: dict[str, Any]) -> set[str]:
    return {entry["path"] for entry in config["linux"]["devices"]}


def test_a_config_json_gets_the_gpus_and_the_one_given_stays(facts: linkspan.HostFacts) -> None:
    before = copy.deepcopy(CONFIG)
    config = linkspan.inject(CONFIG, linkspan.request("0,2"), facts, hook="/opt/hook")
    assert before == CONFIG
    assert {"/dev/nvidia0", "/dev/nvidia2"} <= nodes(config)
    assert "/dev/nvidia1" not in nodes(config)
    assert config["x-unknown"] == CONFIG["x-unknown"]
    (hook,) = config["hooks"]["createContainer"]
    assert hook["path"] == "/opt/hook"
    assert hook["env"], "never without an environment of its own"


def test_a_capability_alone_is_fewer_files(facts: linkspan.HostFacts) -> None:
    every = linkspan.inject(CONFIG, linkspan.request(["0"]), facts)
    utility = linkspan.inject(CONFIG, linkspan.request(["0"], capabilities=["utility"]), facts)
    assert 1 < len(utility["mounts"]) < len(every["mounts"])
    assert not any("libcuda.so" in mount["destination"] for mount in utility["mounts"])


def test_a_config_json_says_by_itself_what_it_asks_for(facts: linkspan.HostFacts) -> None:
    asking = copy.deepcopy(CONFIG)
    asking["process"]["env"] += ["NVIDIA_VISIBLE_DEVICES=3", "NVIDIA_DRIVER_CAPABILITIES=compute"]
    found = linkspan.read_request(asking)
    assert (found.devices, found.capabilities) == (("3",), ("compute",))
    assert "/dev/nvidia3" in nodes(linkspan.inject(asking, found, facts))
    assert linkspan.read_request(CONFIG).empty


def test_what_can_be_asked_for_is_listed_with_ids_that_work(facts: linkspan.HostFacts) -> None:
    listed = linkspan.devices(facts)
    assert [device["id"] for device in listed] == [str(number) for number in range(8)]
    for device in listed:
        for key in ("id", "uuid", "pci_bus_id"):
            (node,) = [
                one
                for one in linkspan.injection(linkspan.request(device[key]), facts).devices
                if one.path[-1].isdigit()
            ]
            assert node.path == f"/dev/nvidia{device['id']}"


@pytest.mark.parametrize(
    ("ids", "options", "sentence"),
    [
        ("77", {}, "77"),
        ("0", {"capabilities": ["computer"]}, "computer"),
        ("nvidia.com/gpu=0", {}, "CDI device name"),
    ],
)
def test_what_cannot_be_granted_is_one_sentence(
    facts: linkspan.HostFacts, ids: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(linkspan.LinkspanError, match=sentence) as error:
        linkspan.inject(CONFIG, linkspan.request(ids, **options), facts)
    assert "\n" not in str(error.value)


def test_the_spec_of_a_host_names_its_devices(facts: linkspan.HostFacts) -> None:
    spec = linkspan.cdi_spec(facts, vendor="example.com", class_="gpu")
    assert spec["kind"] == "example.com/gpu"
    assert {"0", "7", "all"} <= {device["name"] for device in spec["devices"]}


def test_the_rules_of_an_installation_count(facts: linkspan.HostFacts, tmp_path: Any) -> None:
    config = tmp_path / "config.toml"
    config.write_text("accept-nvidia-visible-devices-envvar-when-unprivileged = false\n")
    asking = copy.deepcopy(CONFIG)
    asking["process"]["env"].append("NVIDIA_VISIBLE_DEVICES=0")
    assert linkspan.read_request(asking, linkspan.read_policy(str(config))).empty
    assert not linkspan.read_request(asking, linkspan.read_policy(str(tmp_path / "none"))).empty


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import linkspan; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.split() == ["linkspan"]
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = linkspan.nonsense  # type: ignore[attr-defined]


def test_every_name_is_there() -> None:
    for name in linkspan.__all__:
        assert getattr(linkspan, name) is not None


def test_the_example_places_two_containers(facts: linkspan.HostFacts, tmp_path: Any) -> None:
    snapshot.save(facts, str(tmp_path / "facts.json"))
    argv = [sys.executable, os.path.abspath("examples/scheduler.py"), str(tmp_path / "facts.json")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    first, first_nodes, second, second_nodes = done.stdout.splitlines()
    assert first.startswith("training: NVIDIA H100")
    assert second.startswith("inference: NVIDIA H100")
    assert "/dev/nvidia0" in json.loads(first_nodes)
    assert "/dev/nvidia1" in json.loads(second_nodes)
    done = subprocess.run([*argv[:2], "/nowhere"], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.startswith("scheduler: ")
