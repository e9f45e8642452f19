"""Failures of Jetson boards."""

from linkspan.sim import tegra
from linkspan.sim.failing import Failure
from linkspan.sim.guests import kept_by_docker, library, mountinfo
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.processes import container
from linkspan.sim.spec import SimSpec
from linkspan.sim.tree import File, Node, Tree

BOARD = SimSpec(gpus=0, layout="tegra", engines=("docker",))


def _image_of_older_jetpack(machine: Machine) -> None:
    files: Tree = {path: Node(*numbers) for path, numbers in tegra.NODES.items()}
    files |= {f"{tegra.LIBRARIES}/libcuda.so.1.1": library("libcuda.so.1"), tegra.MORE[0]: File(b"")}
    mounted = mountinfo([f"{tegra.LIBRARIES}/libcuda.so.1.1"])
    machine.put(container(4301, env={"NVIDIA_VISIBLE_DEVICES": "all"}, files=files, mountinfo=mounted), RECENTLY)


def _list_of_another_board(machine: Machine) -> None:
    machine.append(f"{tegra.CSV}/devices.csv", "dev, /dev/nvhost-vic\n")
    error = (
        "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
        "error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: "
        "nvidia-container-cli: mount error: stat failed: /dev/nvhost-vic: no such file or directory: unknown"
    )
    kept_by_docker(machine, 4302, "detect", error=error, env={"NVIDIA_VISIBLE_DEVICES": "all"}, runtime="nvidia")


FAILURES = {
    "D-JETSON-1": Failure("an image of an older JetPack expects CUDA from the board", _image_of_older_jetpack, BOARD),
    "D-JETSON-2": Failure("the CSV files list a node of another board", _list_of_another_board, BOARD),
}
