"""A node by its files: which engine kubelet drives, what it granted, and what pods wrote."""

import json
import re

import pytest

from linkspan.check.kubelet_state import CHECKPOINT, CLAIMS
from linkspan.check.kubernetes import LOGS, pod_of
from linkspan.sim.processes import container, process
from tests.unit.check.scenes import scene

POD = "0f9d1c1e-6a52-4a8e-9b1f-5d1a3c7e2b40"
ENGINES = {
    **process(1, ["/sbin/init"], parent=0),
    **process(700, ["/usr/bin/containerd"]),
    **process(760, ["/usr/bin/crio"]),
}


@pytest.mark.parametrize(
    ("argv", "config", "kind"),
    [
        (["kubelet", "--container-runtime-endpoint=unix:///run/containerd/containerd.sock"], "", "containerd"),
        (["kubelet", "--container-runtime-endpoint", "unix:///var/run/crio/crio.sock"], "", "crio"),
        (["kubelet"], "containerRuntimeEndpoint: unix:///var/run/crio/crio.sock\n", "crio"),
        (["kubelet"], "", None),
        (["kubelet", "--container-runtime-endpoint=unix:///run/cri-dockerd.sock"], "", None),
    ],
)
def test_kubelets_engine_is_the_one_that_it_names(tmp_path, argv, config, kind):
    files = {**ENGINES, **process(900, argv), "/var/lib/kubelet/config.yaml": config}
    engine = scene(tmp_path, files).node.engine
    assert (engine.kind if engine else None) == kind


def test_without_a_kubelet_there_is_no_node(tmp_path):
    node = scene(tmp_path, ENGINES).node
    assert not node.is_one
    assert node.engine is None


def test_grants_are_read_of_both_forms_of_the_checkpoint(tmp_path):
    entry = {"PodUID": POD, "ContainerName": "a", "ResourceName": "nvidia.com/gpu"}
    entries = [{**entry, "DeviceIDs": {"0": ["GPU-a"], "1": ["GPU-b"]}}, {**entry, "DeviceIDs": ["GPU-c"]}]
    data = {"PodDeviceEntries": entries, "RegisteredDevices": {"nvidia.com/gpu": ["GPU-a", "GPU-b"]}}
    found = scene(tmp_path, {CHECKPOINT: json.dumps({"Data": data, "Checksum": 1})}).node.devices
    assert [one.ids for one in found.grants] == [("GPU-a", "GPU-b"), ("GPU-c",)]
    assert found.healthy == {"nvidia.com/gpu": ("GPU-a", "GPU-b")}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"Data": 1}', '{"Data": {"PodDeviceEntries": {"a": 1}}}'])
def test_a_checkpoint_that_is_something_else_grants_nothing(tmp_path, content):
    assert scene(tmp_path, {CHECKPOINT: content}).node.devices.grants == ()


CLAIM = {"ClaimName": "c", "Namespace": "n"}
FIRST = {**CLAIM, "DriverName": "gpu.nvidia.com", "PodUIDs": {POD: {}}}
LATER = {**CLAIM, "DriverState": {"gpu.nvidia.com": {}}, "PodUIDs": [POD]}


@pytest.mark.parametrize(
    "document",
    [{"version": "v1", "entries": [FIRST]}, {"Data": json.dumps({"ClaimInfoStateList": [LATER]}), "Checksum": 1}],
)
def test_claims_are_read_of_every_version_of_their_file(tmp_path, document):
    found = scene(tmp_path, {CLAIMS: json.dumps(document)}).node.claims
    assert [(one.name, one.driver, one.pods) for one in found] == [("n/c", "gpu.nvidia.com", (POD,))]


@pytest.mark.parametrize("content", ["{", '{"Data": "{"}', '{"Data": "[]"}', '{"entries": [7]}'])
def test_a_file_of_claims_that_is_something_else_has_none(tmp_path, content):
    assert scene(tmp_path, {CLAIMS: content}).node.claims == ()


def test_only_the_log_of_the_last_start_is_read_and_without_the_engines_fields(tmp_path):
    folder = f"{LOGS}/kube-system_nvidia-device-plugin-x_{POD}/ctr"
    files = {
        f"{folder}/9.log": "t stderr F NVML of old\n",
        f"{folder}/10.log": "t stderr F NVML of now\nt stdout F noise\n",
    }
    found = scene(tmp_path, files).node.lines("nvidia-device-plugin", re.compile("."))
    assert [(line.path.rpartition("/")[2], line.text) for line in found] == [("10.log", "NVML of now")]


def test_of_a_huge_log_only_the_end_is_read(tmp_path):
    folder = f"{LOGS}/kube-system_nvidia-device-plugin-x_{POD}/ctr"
    files = {f"{folder}/0.log": "NVML first\n" + "x" * (1 << 20) + "\nNVML last\n"}
    found = scene(tmp_path, files).node.lines("nvidia-device-plugin", re.compile("NVML"))
    assert [line.text for line in found] == ["NVML last"]


def test_a_pods_id_is_read_from_its_cgroup(tmp_path):
    files = {**process(1, ["/sbin/init"], parent=0), **container(41, engine="kubernetes", pod=POD)}
    assert pod_of(scene(tmp_path, files).containers[0]) == POD
