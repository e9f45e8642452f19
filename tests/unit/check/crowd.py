"""A crowded host: eight GPUs, five hundred processes, a hundred containers, and what Docker keeps of these."""

from linkspan.sim.create import create
from linkspan.sim.guests import kept_by_docker, mountinfo
from linkspan.sim.kernel_side import UVM_MAJOR
from linkspan.sim.machine import Machine
from linkspan.sim.processes import INSTALLED, container, process
from linkspan.sim.spec import NVIDIA_MAJOR, SimSpec
from linkspan.sim.tree import Link, Node, Tree, text

GPUS, PROCESSES, CONTAINERS = 8, 500, 100
FIRST = 20_000
_LIBRARIES = "/usr/lib/x86_64-linux-gnu"
_STEMS = ("libcuda", "libnvidia-ml", "libnvidia-ptxjitcompiler", "libnvidia-cfg", "libnvidia-nvvm")


def make(root: str) -> None:
    """Make it; with no fault at all. Every second container has a GPU."""
    spec = SimSpec(gpus=GPUS, nvswitches=4, engines=("docker",))
    create(root, spec)
    machine = Machine(root, spec)
    crowd: Tree = {}
    for number in range(CONTAINERS):
        pid = FIRST + number
        gpu = number // 2 % GPUS if number % 2 == 0 else None
        crowd |= _container(pid, gpu, spec.driver_version)
        kept_by_docker(machine, pid, f"job{number}", running=True)
    for number in range(PROCESSES - CONTAINERS):
        parent = FIRST + number % CONTAINERS if number % 4 == 0 else 1
        crowd |= process(FIRST + CONTAINERS + number, ["/usr/bin/worker", f"--shard={number}"], parent=parent)
    machine.put(crowd, INSTALLED)


def _container(pid: int, gpu: int | None, version: str) -> Tree:
    if gpu is None:
        return container(pid, mountinfo=mountinfo(()))
    libraries = [f"{_LIBRARIES}/{stem}.so.{version}" for stem in _STEMS]
    files: Tree = {path: text("\x7fELF\n" * 64) for path in libraries}
    files |= {f"{path.removesuffix(version)}1": Link(path.rpartition("/")[2]) for path in libraries}
    files |= {f"/dev/nvidia{gpu}": Node(NVIDIA_MAJOR, gpu), "/dev/nvidiactl": Node(NVIDIA_MAJOR, 255)}
    files |= {"/dev/nvidia-uvm": Node(UVM_MAJOR, 0)}
    env = {"NVIDIA_VISIBLE_DEVICES": str(gpu), "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
    return container(pid, env=env, files=files, mountinfo=mountinfo(libraries))
