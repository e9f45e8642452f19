"""Failures that have more than one cause: each is told as itself."""

from collections.abc import Callable

import pytest

from linkspan.check import registry, run, verdict
from linkspan.sim import create, guests, tegra
from linkspan.sim.failures import graphics, image, jetson, k8s, wsl
from linkspan.sim.guests import COMPUTE, GRAPHICS, LIBRARIES, UTILITY, gpu_container, kept_by_docker, library
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.pods import log, pod_id, system_log
from linkspan.sim.processes import container
from linkspan.sim.spec import SimSpec
from linkspan.sim.tree import Folder, Link

pytestmark = pytest.mark.allow_subprocess

DOCKER = SimSpec(gpus=2, engines=("docker",))
NODE, CRIO = k8s.NODE, k8s.CRIO_NODE


def older_driver_in_a_running_image(machine: Machine) -> None:
    files = guests.driver_files(("libcuda", "libnvidia-ml"), "535.183.01")
    gpu_container(machine, 5001, files=files)


def driver_in_image_by_the_containerd_store(machine: Machine) -> None:
    path = f"/var/lib/docker/rootfs/overlayfs/{'a' * 64}{LIBRARIES}/libcuda.so.1"
    error = f"nvidia-container-cli: mount error: file creation failed: {path}: file exists: unknown"
    kept_by_docker(machine, 5001, "train", error=error, requests=[guests.ALL_GPUS])


def program_of_a_driver_in_the_image(machine: Machine) -> None:
    path = "/var/lib/docker/overlay2/ab/merged/usr/bin/nvidia-smi"
    error = f"nvidia-container-cli: mount error: file creation failed: {path}: file exists: unknown"
    kept_by_docker(machine, 5001, "train", error=error, requests=[guests.ALL_GPUS])


def link_to_a_driver_that_is_gone(machine: Machine) -> None:
    gpu_container(machine, 5001, stems=UTILITY, files={f"{LIBRARIES}/libcuda.so.1": Link("libcuda.so.535.183.01")})


def requirement_of_a_running_container(machine: Machine) -> None:
    gpu_container(machine, 5001, env={"NVIDIA_REQUIRE_CUDA": "cuda>=12.8"})


def stub_on_the_loader_path(machine: Machine) -> None:
    folder = "/usr/local/cuda-12.4/targets/x86_64-linux/lib/stubs"
    files = {**image.cuda_files("12.4.127"), f"{folder}/libcuda.so.1": library("libcuda.so.1")}
    gpu_container(machine, 5001, files=files, env={"LD_LIBRARY_PATH": "/usr/local/cuda/lib64/stubs"})


def compute_not_granted(machine: Machine) -> None:
    env = {"NVIDIA_DRIVER_CAPABILITIES": "utility"}
    gpu_container(machine, 5001, stems=UTILITY, files=image.cuda_files("12.4.127"), env=env)


def older_compat_on_the_loader_path(machine: Machine) -> None:
    files = {**image.cuda_files("12.2.140"), **image.compat_files("12.2", "535.183.01")}
    gpu_container(machine, 5001, files=files, env={"LD_LIBRARY_PATH": "/usr/local/cuda/compat"})


def cuda_13_on_volta(machine: Machine) -> None:
    image.become(machine, 0, "Tesla V100-SXM2-16GB", "0x1db1")
    gpu_container(machine, 5001, files=image.cuda_files("13.0.88"))


def numbers_of_mixed_gpus(machine: Machine) -> None:
    image.become(machine, 1, "NVIDIA T1000", "0x1fb0")
    gpu_container(machine, 5001, gpus=(0, 1), env={"CUDA_VISIBLE_DEVICES": "0"})


def host_without_graphics(machine: Machine) -> None:
    machine.remove("/usr/share/glvnd/egl_vendor.d/10_nvidia.json", "/usr/share/vulkan/icd.d/nvidia_icd.json")
    files = {f"{LIBRARIES}/libvulkan.so.1": library("libvulkan.so.1")}
    gpu_container(
        machine, 5001, files=files, stems=(*COMPUTE, *GRAPHICS), env={"NVIDIA_DRIVER_CAPABILITIES": "graphics"}
    )


def nvidia_smi_without_a_gpu(machine: Machine) -> None:
    kept_by_docker(machine, 5001, "smi", error=graphics._NOT_FOUND)


def nvidia_smi_not_on_the_host(machine: Machine) -> None:
    machine.remove("/usr/bin/nvidia-smi")
    kept_by_docker(machine, 5001, "smi", error=graphics._NOT_FOUND, requests=[guests.ALL_GPUS])


def no_video_on_the_host(machine: Machine) -> None:
    machine.remove(f"{LIBRARIES}/libnvidia-encode.so*")
    stems = (*COMPUTE, "libnvcuvid")
    argv = ("ffmpeg", "-i", "a.mkv", "-c:v", "hevc_nvenc", "b.mp4")
    gpu_container(machine, 5001, argv=argv, stems=stems, env={"NVIDIA_DRIVER_CAPABILITIES": "compute,video"})


def first_wsl(machine: Machine) -> None:
    machine.write("/proc/version", "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) #1\n")
    machine.remove("/dev/dxg", "/usr/lib/wsl")


def windows_without_nvidia(machine: Machine) -> None:
    machine.remove("/usr/lib/wsl/drivers/*")


def board_without_lists(machine: Machine) -> None:
    machine.remove(f"{tegra.CSV}/*.csv")


def library_of_board_and_image(machine: Machine) -> None:
    path = f"/var/lib/docker/overlay2/ab/merged{tegra.MORE[1]}"
    error = f"nvidia-container-cli: mount error: file creation failed: {path}: file exists"
    kept_by_docker(machine, 5001, "detect", error=error, runtime="nvidia")


def wide_rule_of_cgroup_1(machine: Machine) -> None:
    gpu_container(machine, 5001, gpus=(0,))
    machine.append("/proc/5001/status", "CapEff:\t00000000a80425fb\n")
    own = machine.read("/proc/5001/cgroup").strip().rpartition("::")[2]
    machine.write("/proc/5001/cgroup", f"9:devices:{own}\n1:name=systemd:{own}\n")
    machine.write(f"/sys/fs/cgroup/devices{own}/devices.list", "c 1:3 rwm\nc 195:* rw\n")


def swarm_variable_that_is_known(machine: Machine) -> None:
    machine.write("/etc/nvidia-container-runtime/config.toml", 'swarm-resource = "DOCKER_RESOURCE_GPU"\n')
    machine.put(container(5001, env={"DOCKER_RESOURCE_GPU": "0"}), RECENTLY)


def plugin_that_ends_at_once(machine: Machine) -> None:
    line = "E1214 1 main.go:123] could not load NVML library: libnvidia-ml.so.1: cannot open shared object file"
    log(machine, "kube-system", "nvidia-device-plugin-ds-x7k2p", "ctr", [line], starts=4)


def containerd_not_restarted(machine: Machine) -> None:
    machine.touch("/etc/containerd/config.toml", RECENTLY)
    system_log(machine, "kubelet[900]", 'failed to get sandbox runtime: no runtime for "nvidia" is configured')


def file_of_another_containerd(machine: Machine) -> None:
    own = "/var/snap/microk8s/current/args/containerd.toml"
    machine.write(own, k8s._WITHOUT)
    machine.replace("/proc/700/cmdline", "/usr/bin/containerd\0", f"/usr/bin/containerd\0--config\0{own}\0")


def default_that_is_not_there(machine: Machine) -> None:
    table = '[plugins."io.containerd.grpc.v1.cri".containerd]\ndefault_runtime_name = "nvidia"\n'
    machine.write("/etc/containerd/config.toml", f"version = 2\n{table}")


def hook_where_crio_does_not_look(machine: Machine) -> None:
    machine.remove("/etc/crio/crio.conf.d/zz-linkspan.conf")
    machine.write("/run/containers/oci/hooks.d/oci-nvidia-hook.json", "{}\n")


def operator_whose_driver_is_not_ready(machine: Machine) -> None:
    k8s.FAILURES["D-K8S-9"].happen(machine)
    machine.remove("/run/nvidia/validations/driver-ready")
    machine.put({"/run/nvidia/driver/usr": Folder()})


def operator_whose_handler_is_unknown(machine: Machine) -> None:
    k8s.FAILURES["D-K8S-9"].happen(machine)
    machine.write("/usr/local/nvidia/toolkit/nvidia-container-runtime", "#!/bin/sh\n", mode=0o755)
    machine.write("/etc/containerd/config.toml", k8s._WITHOUT)


def variable_refused_by_docker(machine: Machine) -> None:
    setting = "accept-nvidia-visible-devices-envvar-when-unprivileged = false\n"
    machine.write("/etc/nvidia-container-runtime/config.toml", setting)
    error = "stderr: insufficient privileges to read device list from NVIDIA_VISIBLE_DEVICES envvar: unknown"
    kept_by_docker(machine, 5001, "web", error=error, env={"NVIDIA_VISIBLE_DEVICES": "all"}, runtime="nvidia")


def one_replica(machine: Machine) -> None:
    k8s.plugin(machine, 5001, ["E1214 1 main.go:1] unable to load config: number of replicas must be >= 2"])


def operator_that_was_not_told_of_the_hosts_driver(machine: Machine) -> None:
    argv = ("sh", "-c", "until [ -f /run/nvidia/validations/driver-ready ]; do sleep 5; done")
    machine.put(container(5001, engine="kubernetes", argv=argv, pod=pod_id(5001)), RECENTLY)


CASES: list[tuple[Callable[[Machine], None], SimSpec, str, str]] = [
    (older_driver_in_a_running_image, DOCKER, "D-IMAGE-1", "2 libraries of driver 535.183.01"),
    (driver_in_image_by_the_containerd_store, DOCKER, "D-IMAGE-1", f"has a {LIBRARIES}/libcuda.so.1 of its own"),
    (program_of_a_driver_in_the_image, DOCKER, "D-IMAGE-1", "has a /usr/bin/nvidia-smi of its own"),
    (link_to_a_driver_that_is_gone, DOCKER, "D-IMAGE-2", "libcuda.so.1"),
    (requirement_of_a_running_container, DOCKER, "D-IMAGE-3", "cuda>=12.8"),
    (stub_on_the_loader_path, DOCKER, "D-IMAGE-4", "a stub"),
    (compute_not_granted, DOCKER, "D-IMAGE-4", "does not grant compute"),
    (older_compat_on_the_loader_path, DOCKER, "D-IMAGE-5", "older than the driver"),
    (
        cuda_13_on_volta,
        SimSpec(gpus=2, driver="580.65.06", engines=("docker",)),
        "D-IMAGE-7",
        "before compute capability 7.5",
    ),
    (numbers_of_mixed_gpus, DOCKER, "D-IMAGE-10", "by their speed"),
    (host_without_graphics, DOCKER, "D-GRAPHICS-1", "without its part for graphics"),
    (nvidia_smi_without_a_gpu, DOCKER, "D-GRAPHICS-3", "without any GPU"),
    (nvidia_smi_not_on_the_host, DOCKER, "D-GRAPHICS-3", "the host's driver has no nvidia-smi"),
    (no_video_on_the_host, DOCKER, "D-GRAPHICS-4", "libnvidia-encode to inject"),
    (first_wsl, wsl.GUEST, "D-WSL-1", "this is WSL1"),
    (windows_without_nvidia, wsl.GUEST, "D-WSL-1", "no NVIDIA driver"),
    (board_without_lists, jetson.BOARD, "D-JETSON-1", "has no CSV file"),
    (library_of_board_and_image, jetson.BOARD, "D-JETSON-2", "the image has a file of its own"),
    (wide_rule_of_cgroup_1, DOCKER, "D-SECURITY-2", "can open the others"),
    (swarm_variable_that_is_known, DOCKER, "D-COMPOSE-2", "does not honour it"),
    (plugin_that_ends_at_once, NODE, "D-K8S-1", "no NVML"),
    (containerd_not_restarted, NODE, "D-K8S-2", "newer than the containerd that runs"),
    (file_of_another_containerd, NODE, "D-K8S-2", "reads /var/snap/microk8s/current/args/containerd.toml"),
    (default_that_is_not_there, NODE, "D-K8S-5", "no runtime of this name"),
    (hook_where_crio_does_not_look, CRIO, "D-K8S-7", "in no folder of hooks_dir"),
    (operator_whose_driver_is_not_ready, NODE, "D-K8S-9", "the driver's pod is not ready"),
    (operator_whose_handler_is_unknown, NODE, "D-K8S-9", "does not know its runtime"),
    (operator_that_was_not_told_of_the_hosts_driver, NODE, "D-K8S-9", "driver.enabled=false"),
    (variable_refused_by_docker, DOCKER, "D-K8S-11", "asks for GPUs"),
    (one_replica, NODE, "D-K8S-12", "fewer than 2"),
]


@pytest.mark.parametrize(("happen", "spec", "name", "words"), CASES, ids=lambda one: getattr(one, "__name__", ""))
def test_a_cause_is_told_as_what_it_is(tmp_path, happen, spec, name, words):
    root = str(tmp_path / "host")
    create.create(root, spec)
    happen(Machine(root, spec))
    report = run.examine(root, registry.all_rules()).report
    assert report.unanswered == ()
    causes = [one.cause for one in report.findings if one.id == name]
    assert [words in cause for cause in causes] == [True], [(one.id, one.cause) for one in report.findings]
    assert {one.id for one in verdict.first(report)} <= {name}
