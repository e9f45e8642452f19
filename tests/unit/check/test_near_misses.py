"""Hosts that look like ones with a failure, and are well: a false alarm is worse than silence."""

from collections.abc import Callable

import pytest

from linkspan.check import registry, run
from linkspan.sim import create, guests
from linkspan.sim.failures import compose, image, k8s, sandbox
from linkspan.sim.guests import COMPUTE, GRAPHICS, LIBRARIES, UTILITY, VIDEO, gpu_container, kept_by_docker, library
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.pods import checkpoint, log, pod_id, system_log
from linkspan.sim.processes import container, container_id, process, program
from linkspan.sim.spec import SimSpec
from linkspan.sim.tree import text

pytestmark = pytest.mark.allow_subprocess

DOCKER = SimSpec(gpus=2, engines=("docker",))
NODE, CRIO = k8s.NODE, k8s.CRIO_NODE


def compat_on_a_data_centre_gpu(machine: Machine) -> None:
    files = {**image.cuda_files("12.8.57"), **image.compat_files("12.8", "570.124.06")}
    files |= guests.cache({"libcuda.so.1": "/usr/local/cuda-12.8/compat/libcuda.so.1"})
    gpu_container(machine, 5001, files=files)


def compat_older_than_the_driver(machine: Machine) -> None:
    gpu_container(machine, 5001, files={**image.cuda_files("12.2.140"), **image.compat_files("12.2", "535.183.01")})


def newer_minor_version_of_cuda(machine: Machine) -> None:
    gpu_container(machine, 5001, files=image.cuda_files("12.9.37"))


def requirement_met_by_a_brand(machine: Machine) -> None:
    env = {"NVIDIA_REQUIRE_CUDA": "cuda>=12.8 brand=tesla,driver>=550,driver<551"}
    gpu_container(machine, 5001, env=env)


def requirement_waived(machine: Machine) -> None:
    gpu_container(machine, 5001, env={"NVIDIA_REQUIRE_CUDA": "cuda>=12.8", "NVIDIA_DISABLE_REQUIRE": "1"})


def torch_with_kernels(machine: Machine) -> None:
    path = "/opt/conda/lib/python3.11/site-packages/torch/version.py"
    gpu_container(machine, 5001, files={path: text("__version__ = '2.6.0+cu124'\n")})


def torch_of_an_unknown_build(machine: Machine) -> None:
    image.become(machine, 0, "NVIDIA GeForce RTX 5090", "0x2b85")
    path = "/usr/local/lib/python3.11/site-packages/torch/version.py"
    gpu_container(machine, 5001, files={path: text("__version__ = '2.6.0a0+ecf3bae40a.nv25.1'\n")})


def all_capabilities_and_no_graphics(machine: Machine) -> None:
    gpu_container(machine, 5001, env={"NVIDIA_DRIVER_CAPABILITIES": "all"}, stems=(*COMPUTE, *GRAPHICS))


def numbers_of_the_container(machine: Machine) -> None:
    gpu_container(machine, 5001, env={"CUDA_VISIBLE_DEVICES": "0"}, gpus=(1,))


def names_in_place_of_numbers(machine: Machine) -> None:
    gpu_container(machine, 5001, env={"CUDA_VISIBLE_DEVICES": "GPU-01000100-0000-0000-0000-000000000001"}, gpus=(1,))


def ffmpeg_with_its_libraries(machine: Machine) -> None:
    argv = ("ffmpeg", "-hwaccel", "cuda", "-i", "a.mkv", "-c:v", "h264_nvenc", "b.mp4")
    gpu_container(machine, 5001, argv=argv, stems=(*COMPUTE, *VIDEO), env={"NVIDIA_DRIVER_CAPABILITIES": "video"})


def ffmpeg_on_the_processor(machine: Machine) -> None:
    gpu_container(machine, 5001, argv=("ffmpeg", "-i", "a.mkv", "-c:v", "libx264", "b.mp4"))


def driver_mounted_as_a_folder(machine: Machine) -> None:
    folder = "/usr/local/nvidia/lib64"
    files = guests.driver_files((*COMPUTE, *UTILITY), machine.spec.driver_version, folder)
    gpu_container(machine, 5001, stems=(), files=files, mounts=["/usr/local/nvidia"], env={"LD_LIBRARY_PATH": folder})


def stubs_that_only_link(machine: Machine) -> None:
    files = {**image.cuda_files("12.4.127"), "/usr/local/cuda-12.4/lib64/stubs/libcuda.so": library("libcuda.so.1")}
    gpu_container(machine, 5001, files=files)


def a_reservation_that_is_right(machine: Machine) -> None:
    compose.project(
        machine,
        "x-gpu: &gpu\n  driver: nvidia\n  device_ids: ['0']\n  capabilities: [gpu]\nservices:\n  llm:\n    image: a\n"
        "    deploy: {resources: {reservations: {devices: [*gpu]}}}\n  web:\n    image: b\n  alt:\n    gpus: all\n",
        5001,
    )


def a_compose_file_that_is_none(machine: Machine) -> None:
    compose.project(machine, "services: [\n  - {", 5001)


def builds_that_can_do_without(machine: Machine) -> None:
    machine.write("/srv/chat/a/Dockerfile", "FROM a\nRUN nvidia-smi || true\nRUN command -v nvidia-smi && make\n")
    machine.write("/srv/chat/b/Dockerfile", "FROM a\nRUN --device=nvidia.com/gpu=all nvidia-smi\nCMD nvidia-smi\n")
    compose.project(machine, "services:\n  a: {build: ./a}\n  b: {build: {context: b}}\n", 5001)


def swarm_variable_that_was_heeded(machine: Machine) -> None:
    gpu_container(machine, 5001, env={"DOCKER_RESOURCE_GPU": "0"})


def a_start_that_failed_for_another_reason(machine: Machine) -> None:
    error = 'exec: "trian.py": executable file not found in $PATH'
    kept_by_docker(machine, 5001, "train", error=error, requests=[guests.ALL_GPUS])


def a_toolkit_without_known_holes(machine: Machine) -> None:
    stanza = "Package: nvidia-container-toolkit\nStatus: install ok installed\nVersion: 1.17.8-1\n\n"
    machine.append("/var/lib/dpkg/status", stanza)


def a_wide_rule_without_mknod(machine: Machine) -> None:
    gpu_container(machine, 5001, gpus=(0,))
    machine.append("/proc/5001/status", "CapEff:\t00000000a00425fb\n")
    kept_by_docker(machine, 5001, "tenant", rules=["c 195:* rwm"], running=True)


def a_wide_rule_and_every_gpu(machine: Machine) -> None:
    gpu_container(machine, 5001, gpus=(0, 1))
    machine.append("/proc/5001/status", "CapEff:\t00000000a80425fb\n")
    kept_by_docker(machine, 5001, "tenant", rules=["c 195:* rwm"], running=True)


def runsc_refused_an_older_driver_once(machine: Machine) -> None:
    entry = {"path": "/usr/local/bin/runsc", "runtimeArgs": ["--nvproxy", "--debug-log=/var/log/runsc/"]}
    machine.edit_json("/etc/docker/daemon.json", lambda document: document["runtimes"].update(runsc=entry))
    machine.write("/var/log/runsc/a.boot.txt", "unsupported Nvidia driver version: 535.54.03\n")
    error = "cannot read client sync file: waiting for sandbox to start: EOF"
    kept_by_docker(machine, 5001, "agent", error=error, runtime="runsc", requests=[guests.ALL_GPUS])


def windows_libcuda_by_a_link(machine: Machine) -> None:
    machine.link(f"{LIBRARIES}/libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1")


def plugin_by_runtime_class(machine: Machine) -> None:
    k8s.plugin(machine, 5001, ["I1214 1 main.go:1] Registered device plugin for 'nvidia.com/gpu' with Kubelet"])
    checkpoint(machine, k8s.uuids(machine))


def plugin_by_driver_root(machine: Machine) -> None:
    files = {"/driver-root/usr/lib64/libnvidia-ml.so.1": library("libnvidia-ml.so.1")}
    argv = ("nvidia-device-plugin",)
    machine.put(container(5001, engine="kubernetes", argv=argv, files=files, pod=pod_id(5001)), RECENTLY)


def pod_with_a_grant(machine: Machine) -> None:
    checkpoint(machine, k8s.uuids(machine), {pod_id(5001): k8s.uuids(machine)})
    gpu_container(machine, 5001, engine="kubernetes", gpus=(0, 1), pod=pod_id(5001))


def pod_of_the_operator(machine: Machine) -> None:
    checkpoint(machine, k8s.uuids(machine))
    log(machine, "gpu-operator", "nvidia-operator-validator-abcde", "main", [], number=5001)
    argv = ("sh", "-c", "sleep infinity")
    gpu_container(machine, 5001, engine="kubernetes", gpus=(0, 1), pod=pod_id(5001), argv=argv)


def operator_that_has_just_started(machine: Machine) -> None:
    argv = ("sh", "-c", "until [ -f /run/nvidia/validations/toolkit-ready ]; do sleep 5; done")
    machine.put(container(5001, engine="kubernetes", argv=argv, pod=pod_id(5001)), RECENTLY)
    machine.write("/proc/uptime", "120.00 240.00\n")


def handler_that_was_added_meanwhile(machine: Machine) -> None:
    system_log(machine, "kubelet[900]", 'failed to get sandbox runtime: no runtime for "nvidia" is configured')


def drop_in_that_is_imported(machine: Machine) -> None:
    path = "/etc/containerd/config.toml"
    whole = machine.read(path)
    machine.write(path, 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n')
    machine.write("/etc/containerd/conf.d/99-nvidia.toml", whole)


def crun_whose_hook_works(machine: Machine) -> None:
    machine.append("/var/lib/dpkg/status", "Package: crun\nStatus: install ok installed\nVersion: 1.23-1\n\n")


def driver_of_the_operator_alone(machine: Machine) -> None:
    machine.put({"/run/nvidia/driver/usr/bin/nvidia-smi": program("nvidia-smi")})


def driver_packages_that_stay_as_they_are(machine: Machine) -> None:
    k8s.FAILURES["D-K8S-13"].happen(machine)
    kept = 'Unattended-Upgrade::Package-Blacklist {\n  "nvidia-";\n  "libnvidia-";\n};\n'
    machine.write("/etc/apt/apt.conf.d/50unattended-upgrades", kept)


def runsc_replaced_since_it_refused(machine: Machine) -> None:
    sandbox.FAILURES["D-SANDBOX-1"].happen(machine)
    machine.touch("/usr/local/bin/runsc", RECENTLY + 60)


def health_check_off_on_purpose(machine: Machine) -> None:
    checkpoint(machine, k8s.uuids(machine))
    k8s.plugin(machine, 5001, ["I1214 1 health.go:1] health checks disabled by DP_DISABLE_HEALTHCHECKS=all"])


def gpu_that_is_healthy_again(machine: Machine) -> None:
    checkpoint(machine, k8s.uuids(machine))
    k8s.plugin(machine, 5001, [f"I1214 1 server.go:1] device marked unhealthy: {k8s.uuids(machine)[0]}"])


def mps_daemon_that_runs(machine: Machine) -> None:
    k8s.plugin(machine, 5001, ["I1214 1 main.go:1] error waiting for MPS daemon: not ready"])
    argv = ("nvidia-cuda-mps-control", "-d")
    machine.put(process(5002, argv, cgroup=f"/kubepods.slice/cri-containerd-{container_id(5002)}.scope"), RECENTLY)


def gvisor_without_a_claim(machine: Machine) -> None:
    argv = ("runsc-sandbox", "--nvproxy=true", "boot")
    machine.put(process(5001, argv, cgroup=f"/kubepods.slice/kubepods-pod{pod_id(1)}.slice/x.scope"), RECENTLY)


CASES: dict[Callable[[Machine], None], SimSpec] = {
    compat_on_a_data_centre_gpu: DOCKER,
    compat_older_than_the_driver: DOCKER,
    newer_minor_version_of_cuda: DOCKER,
    requirement_met_by_a_brand: DOCKER,
    requirement_waived: DOCKER,
    torch_with_kernels: DOCKER,
    torch_of_an_unknown_build: DOCKER,
    all_capabilities_and_no_graphics: DOCKER,
    numbers_of_the_container: DOCKER,
    names_in_place_of_numbers: DOCKER,
    ffmpeg_with_its_libraries: DOCKER,
    ffmpeg_on_the_processor: DOCKER,
    driver_mounted_as_a_folder: DOCKER,
    stubs_that_only_link: DOCKER,
    a_reservation_that_is_right: DOCKER,
    a_compose_file_that_is_none: DOCKER,
    builds_that_can_do_without: DOCKER,
    swarm_variable_that_was_heeded: DOCKER,
    a_start_that_failed_for_another_reason: DOCKER,
    a_toolkit_without_known_holes: DOCKER,
    a_wide_rule_without_mknod: DOCKER,
    a_wide_rule_and_every_gpu: DOCKER,
    runsc_refused_an_older_driver_once: DOCKER,
    windows_libcuda_by_a_link: SimSpec(gpus=1, layout="wsl", engines=("docker",)),
    plugin_by_runtime_class: NODE,
    plugin_by_driver_root: NODE,
    pod_with_a_grant: NODE,
    pod_of_the_operator: NODE,
    operator_that_has_just_started: NODE,
    handler_that_was_added_meanwhile: NODE,
    drop_in_that_is_imported: NODE,
    crun_whose_hook_works: CRIO,
    driver_of_the_operator_alone: NODE,
    driver_packages_that_stay_as_they_are: NODE,
    runsc_replaced_since_it_refused: DOCKER,
    health_check_off_on_purpose: NODE,
    gpu_that_is_healthy_again: NODE,
    mps_daemon_that_runs: NODE,
    gvisor_without_a_claim: NODE,
}


@pytest.mark.parametrize("happen", CASES, ids=lambda happen: happen.__name__)
def test_what_looks_like_a_failure_and_is_none_is_not_told(tmp_path, happen):
    root = str(tmp_path / "host")
    create.create(root, CASES[happen])
    happen(Machine(root, CASES[happen]))
    report = run.examine(root, registry.all_rules()).report
    assert [(one.id, one.cause, one.evidence) for one in report.findings] == []
    assert report.unanswered == ()
