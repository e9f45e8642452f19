"""The recorded requests, one ``create`` each through linkspan-runtime, compared in what config.json becomes.

The low-level runtime does nothing here, so that the file is left as the wrapper wrote it. The host is a simulated one
with the recorded GPUs. Where the record says what linkspan does instead, that is asserted, with the reason it gives.
"""

import json
import os
from typing import Any

import pytest

from linkspan.sim.create import create
from linkspan.sim.spec import SimSpec
from tests.containers import Outcome, new_bundle
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged

with open(f"{os.path.dirname(__file__)}/../golden/requests.json", encoding="utf-8") as record:
    CASES = {case["name"]: case for case in json.load(record)["cases"]}

# Refused by us: what the one sentence has to name.
REFUSED = {
    "visible short uuid": ("GPU-01000100", "GPU-01000100-0000-0000-0000-000000000007"),
    "visible out of range": ("9", "0", "7"),
    "visible garbage": ("banana",),
    "mig index without mig": ("0:0",),
    "require unsatisfied": ("cuda>=13.9", "12.4"),
    "require malformed": ("cuda=>banana",),
    "caps unknown": ("banana", "compute", "utility"),
    "management mode all": ("management.nvidia.com/gpu=all",),
}

CONTROL = {"/dev/nvidia-modeset", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidiactl"}

# Devices where ours are others than the toolkit's, with the reason.
DEVICES = {
    "visible=0,0 dup": {"/dev/nvidia0", *CONTROL},  # named twice is named
    "caps utility": {"/dev/nvidia0", "/dev/nvidiactl"},  # the nodes of a capability come with it
    "caps compute": {"/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"},
}


@pytest.fixture(scope="module")
def toolkit(tmp_path_factory: pytest.TempPathFactory) -> Toolkit:
    """The recorded host, with our CDI spec of it where specs are looked for."""
    root = str(tmp_path_factory.mktemp("host"))
    create(root, SimSpec(gpus=8, model="H100", driver="550.163.01"))
    made = Toolkit(str(tmp_path_factory.mktemp("toolkit")), root)
    made.generate()
    return made


def create_by(toolkit: Toolkit, case: dict[str, Any]) -> tuple[Outcome, dict[str, Any], dict[str, Any]]:
    """What ``create`` answers, and config.json before and after."""
    with new_bundle("/nowhere") as bundle:
        config = bundle.env(*case["env"]).config
        config["annotations"] = case.get("annotations", {})
        config["mounts"] += case.get("mounts", [])
        wrapper = toolkit.wrapper("/bin/true", mode=case.get("mode", "auto"), top=case.get("config", ""))
        outcome = toolkit.patch(bundle.write(), wrapper)
        with open(bundle.path, encoding="utf-8") as file:
            return outcome, config, json.load(file)


def nodes(config: dict[str, Any]) -> set[str]:
    return {node["path"] for node in config["linux"].get("devices", ())}


@pytest.mark.parametrize("name", [name for name in CASES if name not in REFUSED])
def test_a_request_that_is_granted_gets_the_recorded_devices(toolkit: Toolkit, name: str) -> None:
    recorded = CASES[name]["toolkit_1_20"]
    outcome, before, after = create_by(toolkit, CASES[name])
    expected = DEVICES.get(name, set(recorded["devices"]))
    assert outcome.created == 0, outcome
    assert nodes(after) == expected
    hooks = after.pop("hooks", {})
    assert len(hooks.get("prestart", ())) == recorded["hooks"].count("prestart:prestart")
    if not expected:
        assert after == before
    else:
        assert "NVIDIA_VISIBLE_DEVICES=void" in after["process"]["env"]
        assert len(after["mounts"]) > len(before["mounts"])
        allowed = [rule for rule in after["linux"]["resources"]["devices"] if rule.get("major") == 195]
        assert {rule["minor"] for rule in allowed} == {minor_of(node) for node in expected if minor_of(node) >= 0}


def minor_of(node: str) -> int:
    """The minor below NVIDIA's major number; -1 for the nodes of another driver."""
    name = node.removeprefix("/dev/nvidia")
    return {"ctl": 255, "-modeset": 254, "-uvm": -1, "-uvm-tools": -1}.get(name, int(name) if name.isdecimal() else -1)


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_is_refused_says_why_in_one_line_and_changes_nothing(toolkit: Toolkit, name: str) -> None:
    outcome, before, after = create_by(toolkit, CASES[name])
    assert outcome.created == 1
    assert outcome.errors.count("\n") == 1, outcome.errors
    assert not [word for word in REFUSED[name] if word not in outcome.errors], outcome.errors
    assert after == before


def test_every_recorded_difference_of_linkspan_is_one_of_ours() -> None:
    said = {name for name, case in CASES.items() if "linkspan" in case}
    asserted = REFUSED.keys() | DEVICES.keys() | {"visible all,0"}
    assert said <= asserted


@pytest.mark.parametrize(("capability", "other"), [("utility", "libcuda.so."), ("compute", "libnvidia-ml.so.")])
def test_a_capability_mounts_only_its_own_files(toolkit: Toolkit, capability: str, other: str) -> None:
    _, _, after = create_by(toolkit, CASES[f"caps {capability}"])
    _, _, everything = create_by(toolkit, CASES["caps all"])
    mounted = [entry["destination"] for entry in after["mounts"]]
    assert len(mounted) < len(everything["mounts"])
    assert not [path for path in mounted if other in path]
