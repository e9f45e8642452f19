"""Failures of Kubernetes nodes."""

from linkspan.sim.failing import Failure
from linkspan.sim.guests import UTILITY, driver_files, gpu_container
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.pods import checkpoint, log, pod_id, system_log
from linkspan.sim.processes import container, program
from linkspan.sim.spec import SimSpec, gpus
from linkspan.sim.tree import Folder

NODE = SimSpec(gpus=2, engines=("containerd",))
CRIO_NODE = SimSpec(gpus=2, engines=("crio",))
_CONFIG = "/etc/containerd/config.toml"
_V2 = "io.containerd.grpc.v1.cri"
_PLUGIN = ("/usr/bin/nvidia-device-plugin",)
_ENTRY = """
  [plugins."{table}".containerd.runtimes.nvidia]
    runtime_type = "io.containerd.runc.v2"

    [plugins."{table}".containerd.runtimes.nvidia.options]
      BinaryName = "/usr/local/nvidia/toolkit/nvidia-container-runtime"
"""
_WITHOUT = f"""\
version = 2

[plugins."{_V2}"]
  [plugins."{_V2}".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


def plugin(machine: Machine, number: int, lines: list[str], *, has_nvml: bool = True) -> None:
    """The device plugin as a pod that runs, with what it wrote."""
    files = driver_files(UTILITY, machine.spec.driver_version) if has_nvml else {}
    engine = "crio" if "crio" in machine.spec.engines else "kubernetes"
    env = {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "utility"}
    machine.put(container(number, engine=engine, argv=_PLUGIN, env=env, files=files, pod=pod_id(number)), RECENTLY)
    log(machine, "kube-system", "nvidia-device-plugin-ds-x7k2p", "nvidia-device-plugin-ctr", lines, number=number)


def uuids(machine: Machine) -> list[str]:
    """The UUIDs of the simulated GPUs."""
    return [gpu.uuid for gpu in gpus(machine.spec)]


def _plugin_under_runc(machine: Machine) -> None:
    lines = [
        "I1214 22:21:40.1 1 factory.go:107] Detected NVML platform: could not load NVML library: libnvidia-ml.so.1: "
        "cannot open shared object file: No such file or directory",
        "E1214 22:21:40.1 1 factory.go:115] Incompatible strategy detected auto",
        "I1214 22:21:40.1 1 main.go:287] No devices found. Waiting indefinitely.",
    ]
    plugin(machine, 4801, lines, has_nvml=False)


def _handler_not_on_this_node(machine: Machine) -> None:
    machine.write(_CONFIG, _WITHOUT)
    text = (
        'E1214 22:21:40.1 900 pod_workers.go:1300] "Error syncing pod, skipping" err="failed to \\"CreatePodSandbox\\" '
        "with CreatePodSandboxError: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "
        '\\"nvidia\\" is configured"'
    )
    system_log(machine, "kubelet[900]", text)


def _drop_in_nobody_reads(machine: Machine) -> None:
    machine.write(_CONFIG, _WITHOUT)
    machine.write("/etc/containerd/config.d/99-nvidia.toml", "version = 2\n" + _ENTRY.format(table=_V2))


def _cri_disabled(machine: Machine) -> None:
    old = machine.read(_CONFIG)
    machine.write(_CONFIG, old.replace("version = 2\n", 'version = 2\ndisabled_plugins = ["cri"]\n'))


def _settings_of_containerd_1(machine: Machine) -> None:
    machine.replace("/var/lib/dpkg/status", "Version: 1.7.28-1", "Version: 2.1.4-1")
    machine.write(_CONFIG, _WITHOUT.replace("version = 2", "version = 3") + _ENTRY.format(table=_V2))


def _generated_file_edited(machine: Machine) -> None:
    path = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml"
    text = machine.read(path).replace(
        '[plugins."io.containerd.grpc.v1.cri"]\n',
        '[plugins."io.containerd.grpc.v1.cri"]\n  [plugins."io.containerd.grpc.v1.cri".containerd]\n'
        '    default_runtime_name = "nvidia"\n',
        1,
    )
    machine.write(path, text, changed=RECENTLY)


def _crio_without_handler(machine: Machine) -> None:
    machine.remove("/etc/crio/crio.conf.d/zz-linkspan.conf")
    text = (
        'E1214 22:21:40.1 900 pod_workers.go:1300] "Error syncing pod" err="rpc error: code = Unknown desc = failed to '
        'find runtime handler nvidia from runtime list map[crun:0xc0 runc:0xc1]"'
    )
    system_log(machine, "kubelet[900]", text)


def _crun_before_its_fix(machine: Machine) -> None:
    stanza = "Package: crun\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.23-1.rhaos4.18\n\n"
    machine.append("/var/lib/dpkg/status", stanza)
    text = (
        'E1214 22:21:40.1 900 kuberuntime_manager.go:1341] "init container start failed" err="CreateContainerError: '
        "container create failed: error executing hook `/usr/local/nvidia/toolkit/nvidia-container-runtime-hook` (exit "
        'code: 1)"'
    )
    system_log(machine, "kubelet[900]", text)


def _operator_waits(machine: Machine) -> None:
    machine.write("/run/nvidia/validations/driver-ready", "IS_HOST_DRIVER=true\n")
    script = (
        "until [ -f /run/nvidia/validations/toolkit-ready ]; do echo waiting for nvidia container stack to be setup; "
        "sleep 5; done"
    )
    for number in (4809, 4810):
        argv = ("sh", "-c", script)
        machine.put(container(number, engine="kubernetes", argv=argv, pod=pod_id(number)), RECENTLY)


def _gpus_by_the_images_variable(machine: Machine) -> None:
    machine.write(
        _CONFIG,
        machine.read(_CONFIG).replace(
            "  enable_cdi = true\n", f'  [plugins."{_V2}".containerd]\n    default_runtime_name = "nvidia"\n', 1
        ),
    )
    checkpoint(machine, uuids(machine))
    gpu_container(machine, 4811, gpus=(0, 1), engine="kubernetes", argv=("python3", "serve.py"), pod=pod_id(4811))


def _variable_refused(machine: Machine) -> None:
    machine.write(
        "/etc/nvidia-container-runtime/config.toml", "accept-nvidia-visible-devices-envvar-when-unprivileged = false\n"
    )
    text = (
        'E1214 22:21:40.1 900 kuberuntime_manager.go:1341] "container start failed" err="RunContainerError: failed to '
        "create containerd task: OCI runtime create failed: error running prestart hook #0: exit status 1, stdout: , "
        'stderr: insufficient privileges to read device list from NVIDIA_VISIBLE_DEVICES envvar"'
    )
    system_log(machine, "kubelet[900]", text)


def _no_mps_daemon(machine: Machine) -> None:
    line = (
        "E1214 22:21:40.1 1 main.go:132] Failed to start plugin: error waiting for MPS daemon: error checking MPS "
        "daemon health: failed to send command to MPS daemon: exit status 1"
    )
    machine.put({"/run/nvidia/mps/nvidia.com": Folder()})
    plugin(machine, 4813, [line])


def _driver_of_host_and_operator(machine: Machine) -> None:
    machine.put({"/run/nvidia/driver/usr/bin/nvidia-smi": program("nvidia-smi")})
    stanza = (
        "Package: libnvidia-compute-550\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}-0ubuntu1\n\n"
    )
    machine.append("/var/lib/dpkg/status", stanza.format(machine.spec.driver_version))
    machine.write("/etc/apt/apt.conf.d/20auto-upgrades", 'APT::Periodic::Unattended-Upgrade "1";\n')


def _unhealthy_for_ever(machine: Machine) -> None:
    first, second = uuids(machine)
    lines = [
        f"I1214 22:21:40.1 1 health.go:159] XidCriticalError: Xid=48 on Device={second}; marking device as unhealthy.",
        f"I1214 22:21:40.1 1 server.go:276] 'nvidia.com/gpu' device marked unhealthy: {second}",
    ]
    checkpoint(machine, [first])
    plugin(machine, 4815, lines)


def _health_check_did_not_start(machine: Machine) -> None:
    line = (
        "I1214 22:21:40.1 1 server.go:214] Failed to start health check: failed to initialize NVML: "
        "ERROR_LIBRARY_NOT_FOUND; continuing with health checks disabled"
    )
    checkpoint(machine, uuids(machine))
    plugin(machine, 4816, [line])


def _toolkit_for_containerd_on_crio(machine: Machine) -> None:
    line = (
        'time="2023-12-14T22:21:40Z" level=error msg="error running nvidia-toolkit: unable to setup runtime: unable to '
        "restart containerd: unable to dial: dial unix /runtime/sock-dir/containerd.sock: connect: no such file or "
        'directory"'
    )
    pod = "nvidia-container-toolkit-daemonset-q9xzd"
    log(machine, "gpu-operator", pod, "nvidia-container-toolkit-ctr", [line], starts=12)


K3S_NODE = SimSpec(gpus=2, engines=("k3s",))
FAILURES = {
    "D-K8S-1": Failure("the device plugin runs under runc", _plugin_under_runc, NODE),
    "D-K8S-2": Failure("a runtime class wants a handler that this node lacks", _handler_not_on_this_node, NODE),
    "D-K8S-3": Failure("the runtime stands in a drop-in that nobody imports", _drop_in_nobody_reads, NODE),
    "D-K8S-4": Failure("the CRI plugin is disabled, as in Docker's package", _cri_disabled, NODE),
    "D-K8S-5": Failure("containerd 2 has settings of containerd 1", _settings_of_containerd_1, NODE),
    "D-K8S-6": Failure("the file that k3s generates was edited", _generated_file_edited, K3S_NODE),
    "D-K8S-7": Failure("CRI-O lacks the handler of the runtime class", _crio_without_handler, CRIO_NODE),
    "D-K8S-8": Failure("crun 1.23 runs the legacy hook too early", _crun_before_its_fix, CRIO_NODE),
    "D-K8S-9": Failure("the operator's pods wait for the toolkit", _operator_waits, NODE),
    "D-K8S-10": Failure("a pod has all GPUs by its image's variable", _gpus_by_the_images_variable, NODE),
    "D-K8S-11": Failure("the variable is refused to unprivileged containers", _variable_refused, NODE),
    "D-K8S-12": Failure("the plugin shares by MPS, and no daemon runs", _no_mps_daemon, NODE),
    "D-K8S-13": Failure("the operator's driver and the host's own", _driver_of_host_and_operator, NODE),
    "D-K8S-14": Failure("a GPU stays unhealthy after a passing Xid", _unhealthy_for_ever, NODE),
    "D-K8S-15": Failure("the plugin watches nothing and offers all", _health_check_did_not_start, NODE),
    "D-K8S-16": Failure(
        "the operator's toolkit looks for containerd on CRI-O", _toolkit_for_containerd_on_crio, CRIO_NODE
    ),
}
