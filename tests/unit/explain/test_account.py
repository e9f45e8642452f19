"""Whole accounts of containers on simulated hosts, and the chains that they come to."""

import json
from typing import Any

import pytest

from linkspan.check.eyes import Ledger, live
from linkspan.check.scene import Scene
from linkspan.errors import HostError
from linkspan.explain import access, account, asked, subject, verdict
from linkspan.explain.account import Account
from linkspan.explain.chain import Chain
from linkspan.explain.subject import Subject
from linkspan.plan.model import Policy
from linkspan.sim import create
from linkspan.sim.guests import ALL_GPUS, COMPUTE, UTILITY, gpu_container, kept_by_docker
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.processes import container_id, process
from linkspan.sim.spec import SimSpec
from linkspan.sim.tree import File

pytestmark = pytest.mark.allow_subprocess

SPEC = SimSpec(gpus=2, engines=("docker",))
PID = 4100


@pytest.fixture
def machine(tmp_path) -> Machine:
    root = str(tmp_path / "host")
    create.create(root, SPEC)
    return Machine(root, SPEC)


def watched(machine: Machine, config: dict[str, Any], *, namespace: str = "moby") -> str:
    """Let a shim of containerd stand over the container; its id."""
    found = container_id(PID)
    bundle = f"/run/containerd/io.containerd.runtime.v2.task/{namespace}/{found}"
    machine.write(f"{bundle}/config.json", json.dumps(config))
    argv = ["/usr/bin/containerd-shim-runc-v2", "-namespace", namespace, "-id", found, "-address", "/run/c.sock"]
    machine.put(process(4099, argv), RECENTLY)
    machine.link("/proc/4099/cwd", bundle)
    status = machine.read(f"/proc/{PID}/stat").split()
    status[3] = "4099"
    machine.write(f"/proc/{PID}/stat", " ".join(status) + "\n")
    return found


def config(*env: str, devices: tuple[int, ...] = (0,)) -> dict[str, Any]:
    rules = [{"allow": False, "access": "rwm"}]
    rules += [{"allow": True, "type": "c", "major": 195, "minor": minor, "access": "rw"} for minor in (*devices, 255)]
    rules += [{"allow": True, "type": "c", "major": 510, "minor": 0, "access": "rw"}]
    return {
        "process": {"env": ["PATH=/usr/bin", *env], "capabilities": {"bounding": []}},
        "linux": {"devices": [{"path": f"/dev/nvidia{minor}"} for minor in devices], "resources": {"devices": rules}},
        "annotations": {},
    }


def explain(machine: Machine, name: str) -> tuple[Account, Chain]:
    scene = Scene(live(machine.root, Ledger()))
    found = account.account(scene, subject.find(scene, name))
    assert found is not None
    return found, verdict.chain(found)


def test_a_container_that_works_has_every_box_in_order(machine):
    gpu_container(machine, PID, env={"CUDA_VERSION": "12.1.1"})
    found = watched(machine, config("NVIDIA_VISIBLE_DEVICES=0", "CUDA_VERSION=12.1.1"))
    told, chain = explain(machine, found)
    assert chain.works
    assert [box.key for box in chain.boxes][-4:] == ["bridge", "libcuda", "module", "gpu"]
    assert {box.state for box in chain.boxes} == {"holds"}
    assert told.asked.how == "NVIDIA_VISIBLE_DEVICES=0"
    assert told.taken("libcuda.so.1").owner == "host"
    assert [(one.path, one.allowed) for one in told.nodes if one.path == "/dev/nvidia0"] == [("/dev/nvidia0", True)]
    assert "has 1 GPU, asked for by NVIDIA_VISIBLE_DEVICES=0" in chain.verdict


def test_docker_names_its_containers_and_keeps_the_flags(machine):
    gpu_container(machine, PID)
    watched(machine, config("NVIDIA_VISIBLE_DEVICES=void"))
    kept_by_docker(machine, PID, "train", requests=[ALL_GPUS], running=True, env={"NVIDIA_VISIBLE_DEVICES": "all"})
    told, _ = explain(machine, "train")
    assert told.title.startswith("train (docker, ")
    assert told.asked.how == "--gpus all"
    by_pid, _ = explain(machine, str(PID))
    assert by_pid.title == told.title


def test_a_pod_goes_by_its_own_names(machine):
    gpu_container(machine, PID, engine="kubernetes")
    document = config("NVIDIA_VISIBLE_DEVICES=0")
    document["annotations"] = {
        "io.kubernetes.cri.sandbox-name": "trainer-0",
        "io.kubernetes.cri.container-name": "main",
        "cdi.k8s.io/plugin": "nvidia.com/gpu=0",
    }
    watched(machine, document, namespace="k8s.io")
    told, _ = explain(machine, "trainer-0")
    assert told.title.startswith("trainer-0/main (kubernetes, ")


def test_a_denied_node_breaks_the_chain_at_the_gpu(machine):
    gpu_container(machine, PID, gpus=(0, 1))
    found = watched(machine, config("NVIDIA_VISIBLE_DEVICES=all", devices=(0,)))
    _, chain = explain(machine, found)
    assert not chain.works
    assert "its cgroup does not let it open /dev/nvidia1" in chain.verdict
    assert {box.state for box in chain.boxes if box.key != "gpu"} == {"not reached"}


def test_a_gpu_that_may_be_opened_and_was_not_given_is_told(machine):
    gpu_container(machine, PID, gpus=(0,))
    found = watched(machine, config("NVIDIA_VISIBLE_DEVICES=0", devices=(0, 1)))
    told, chain = explain(machine, found)
    assert [one.path for one in told.others] == ["/dev/nvidia1"]
    assert next(box for box in chain.boxes if box.key == "gpu").state == "doubtful"


def test_utility_alone_needs_no_libcuda(machine):
    env = {"NVIDIA_DRIVER_CAPABILITIES": "utility"}
    gpu_container(machine, PID, env=env, stems=UTILITY)
    found = watched(machine, config("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_DRIVER_CAPABILITIES=utility"))
    _, chain = explain(machine, found)
    box = next(box for box in chain.boxes if box.key == "libcuda")
    assert (box.state, chain.works) == ("unknown", True)


def test_libraries_of_the_driver_before_break_it(machine):
    gpu_container(machine, PID, stems=(*COMPUTE, *UTILITY))
    found = watched(machine, config("NVIDIA_VISIBLE_DEVICES=0"))
    for path in ("/proc/driver/nvidia/version", "/sys/module/nvidia/version"):
        machine.replace(path, "550.163.01", "560.35.03")
    _, chain = explain(machine, found)
    assert "is of driver 550.163.01, and the loaded kernel module is 560.35.03" in chain.verdict


def test_a_container_without_anything_was_asked_for_nothing(machine):
    from linkspan.sim.processes import container

    machine.put(container(PID, files={"/usr/bin/app": File(b"x")}), RECENTLY)
    found = watched(machine, {"process": {"env": ["PATH=/usr/bin"]}})
    told, chain = explain(machine, found)
    assert not told.asked.anything
    assert "no device node of a GPU stands in it" in chain.verdict
    assert chain.boxes[-1].remedy.commands == ("docker run --gpus all …",)


def test_who_is_not_there_is_told_in_a_sentence(machine):
    scene = Scene(live(machine.root, Ledger()))
    with pytest.raises(HostError, match='no container "nobody" runs here'):
        subject.find(scene, "nobody")
    with pytest.raises(HostError, match="there is no process 99999"):
        subject.find(scene, "99999")
    with pytest.raises(HostError, match="process 800 is in no container"):
        subject.find(scene, "800")


@pytest.mark.parametrize(("content", "reason"), [(None, "cannot read"), ("{", "is no JSON"), ("[]", "is no OCI")])
def test_a_folder_that_is_no_bundle_is_refused(tmp_path, content, reason):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(HostError, match=reason):
        subject.of_bundle(str(tmp_path))


@pytest.mark.parametrize(
    ("env", "how", "refusal"),
    [
        (["NVIDIA_VISIBLE_DEVICES=0,1"], "NVIDIA_VISIBLE_DEVICES=0,1", ""),
        (["NVIDIA_VISIBLE_DEVICES=void"], "", ""),
        (["NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_DRIVER_CAPABILITIES=magic"], "", "magic"),
    ],
)
def test_the_request_is_read_as_the_runtime_reads_it(env, how, refusal):
    found = asked.asked(Subject(name="x", pid=1, config={"process": {"env": env}}), {}, Policy())
    assert found.how == how
    assert refusal in found.refusal


def test_rules_in_their_order_of_which_the_last_that_fits_decides():
    rules = access.Rules(source="devices.list", lines=("a *:* rwm", "deny c 195:* rwm", "c 195:0 rw"))
    assert rules.allows("c", 1, 3)
    assert rules.allows("c", 195, 0)
    assert not rules.allows("c", 195, 0, "m")
    assert not rules.allows("c", 195, 1)
    assert access.Rules(source="nothing").allows("c", 195, 0) is None
