"""What a command line would come to, on facts of a host."""

import json

import pytest

from linkspan.errors import HostError
from linkspan.explain import dry_run, image_config
from linkspan.explain.dry_run import Wanted
from linkspan.plan.model import Policy
from tests import hosts


@pytest.fixture
def facts(tmp_path):
    return hosts.golden(tmp_path / "golden")


@pytest.fixture
def image(tmp_path):
    return hosts.make(tmp_path / "image", {"/usr/local/cuda/lib64/libcudart.so.12.1.105": b"x"})


def run(image, facts, **wanted):
    made = dry_run.dry_run(image_config.read(image), Wanted(**wanted), facts, Policy())
    return made, dry_run.chain(made, facts)


def test_gpus_by_dockers_flag(image, facts):
    made, chain = run(image, facts, gpus='"device=0,2"')
    nodes = [node.path for node in made.injection.devices if node.path[len("/dev/nvidia") :].isdecimal()]
    assert nodes == ["/dev/nvidia0", "/dev/nvidia2"]
    assert chain.works
    assert chain.verdict.startswith("it would start with 2 GPUs and ")
    assert chain.verdict.endswith("CUDA 12.1.105 would run natively")


def test_gpus_by_a_cdi_name_need_no_spec_to_be_explained(image, facts):
    made, chain = run(image, facts, devices=("nvidia.com/gpu=3",))
    assert "/dev/nvidia3" in [node.path for node in made.injection.devices]
    assert chain.works


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"gpus": "device=0,1"}, 'it would be refused: docker reads "device=0,1" as a device and a count'),
        ({"gpus": "device=17"}, 'it would be refused: "17" was asked for'),
        (
            {"gpus": "all", "env": ("NVIDIA_REQUIRE_CUDA=cuda>=99",)},
            "it would be refused: NVIDIA_REQUIRE_CUDA",
        ),
        ({}, "it would start without any GPU, since nobody asks for one"),
    ],
)
def test_what_would_be_refused_is_said_with_the_reason(image, facts, wanted, sentence):
    made, chain = run(image, facts, **wanted)
    assert chain.verdict.startswith(sentence)
    assert not chain.works
    assert made.injection.devices == ()


def test_a_cuda_that_is_too_new_for_the_driver_is_told(tmp_path, facts):
    image = hosts.make(tmp_path / "new", {"/usr/local/cuda/lib64/libcudart.so.13.0.48": b"x"})
    made, chain = run(image, facts, gpus="all")
    assert made.fit.way == "not"
    assert not chain.works


def test_a_bundle_brings_its_own_variables(tmp_path, facts):
    (tmp_path / "bundle").mkdir()
    config = {"process": {"env": ["NVIDIA_VISIBLE_DEVICES=1"]}, "root": {"path": "rootfs"}}
    (tmp_path / "bundle/config.json").write_text(json.dumps(config))
    made, _ = run(str(tmp_path / "bundle"), facts)
    assert made.request.devices == ("1",)
    (tmp_path / "bundle/config.json").write_text("{}")
    with pytest.raises(HostError, match="is no OCI runtime specification"):
        image_config.read(str(tmp_path / "bundle"))


def test_an_image_that_nobody_knows_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(image_config, "SOCKETS", (str(tmp_path / "none"),))
    with pytest.raises(HostError, match="no Docker runs here that could know an image nvidia/cuda"):
        image_config.read("nvidia/cuda")
