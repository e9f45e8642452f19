"""Failures of the driver that show at containers: what they keep of it, ask of it, and what their starts ended with."""

from linkspan.sim import toolkit
from linkspan.sim.engine_side import PERSISTENCED
from linkspan.sim.failing import Failure
from linkspan.sim.guests import ALL_GPUS, GPU_ENV, LIBRARIES, gpu_container, kept_by_docker
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.pods import log
from linkspan.sim.processes import container
from linkspan.sim.spec import SimSpec, gpus
from linkspan.sim.tree import Link

OLD = "550.144.03"
_SHIM = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
)
_HOOK = (
    f"{_SHIM}unable to start container process: error during container init: error running prestart hook #0: exit "
    "status 1, stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: "
)
_CPUSET = "/sys/fs/cgroup/cpuset"
_NODE = SimSpec(gpus=2, engines=("containerd",))


def hook_error(message: str) -> str:
    """What dockerd keeps where NVIDIA's hook ended with this message."""
    return f"{_HOOK}{message}: unknown"


def _made_for_old_driver(machine: Machine) -> None:
    """A container of a script that named the driver's files, each with its version; then came an update."""
    library = f"{LIBRARIES}/libcuda.so.{OLD}"
    error = (
        f'{_SHIM}error mounting "{library}" to rootfs at "{library}": mount src={library}, dst={library}, '
        "dstFd=/proc/thread-self/fd/8, flags=MS_BIND|MS_REC: not a directory: Are you trying to mount a directory onto "
        "a file (or vice-versa)? Check if the specified host path exists and is the expected type: unknown"
    )
    kept_by_docker(machine, 41, "old", error=error, mounts={library: library})


def _somebody_uses_it(machine: Machine) -> None:
    lines = ("Stopping NVIDIA persistence daemon...", "Unloading NVIDIA driver kernel modules...")
    message = "Could not unload NVIDIA driver kernel modules, driver is in use"
    log(machine, "gpu-operator", "nvidia-driver-daemonset-x7k2p", "nvidia-driver-ctr", (*lines, message))
    machine.write("/sys/module/nvidia/refcnt", "3\n")
    machine.put(container(2100, engine="kubernetes", argv=("python3", "serve.py"), env=GPU_ENV), RECENTLY)
    machine.put({"/proc/2100/fd/0": Link("/dev/null"), "/proc/2100/fd/11": Link("/dev/nvidia0")})


def _all_gpus_asleep(machine: Machine) -> None:
    toolkit.install(machine)
    machine.remove(f"/proc/{PERSISTENCED}")
    error = hook_error("initialization error: driver rpc error: timed out")
    kept_by_docker(machine, 42, "train", error=error, env=GPU_ENV, requests=[ALL_GPUS])


def _socket_committed(machine: Machine) -> None:
    merged = "/var/lib/docker/overlay2/4be3/merged/run/nvidia-persistenced/socket"
    error = hook_error(f"mount error: file creation failed: {merged}: no such device or address")
    kept_by_docker(machine, 43, "train", error=error, env=GPU_ENV, requests=[ALL_GPUS])


def _memory_came_later(machine: Machine) -> None:
    """The GPUs' memory is online as nodes 254 and 255; Docker's cpuset is of before that."""
    machine.remove("/sys/fs/cgroup/cgroup.controllers")
    machine.write(f"{_CPUSET}/cpuset.mems", "0,8,254-255\n")
    machine.write(f"{_CPUSET}/docker/cpuset.mems", "0,8\n")
    for node, gpu in zip((255, 254), gpus(machine.spec), strict=True):
        status = f"Node:      {node}\nStatus:    online\nAddress:   600000000000\nSize:      3f8000000\n"
        machine.write(f"/proc/driver/nvidia/gpus/{gpu.bus_id}/numa_status", status)


def _no_channel(machine: Machine) -> None:
    machine.replace("/proc/devices", "195 nvidia\n", "195 nvidia\n507 nvidia-caps-imex-channels\n")
    gpu_container(machine, 2101, env={"NVIDIA_IMEX_CHANNELS": "0"})


def _no_such_channel(machine: Machine) -> None:
    gpu_container(machine, 2102, env={"NVIDIA_IMEX_CHANNELS": "bogus"})


FAILURES = {
    "D-DRIVER-2": Failure("a container was made with files of the driver before", _made_for_old_driver),
    "D-DRIVER-7": Failure("a pod keeps the driver container from unloading the driver", _somebody_uses_it, _NODE),
    "D-DRIVER-8": Failure(
        "eight GPUs sleep, and NVIDIA's program gave up waiting", _all_gpus_asleep, SimSpec(gpus=8, engines=("docker",))
    ),
    "D-DRIVER-12": Failure("a container with GPUs was committed, its sockets too", _socket_committed),
    "D-DRIVER-15": Failure("the GPUs' memory came online after Docker's cpuset was made", _memory_came_later),
    "D-DRIVER-16": Failure("a container asks for an IMEX channel that has no node", _no_channel),
    "D-DRIVER-17": Failure("a container asks for an IMEX channel that cannot be", _no_such_channel),
}
