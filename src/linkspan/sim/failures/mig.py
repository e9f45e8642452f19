"""Failures of MIG: names, instances and their nodes."""

from linkspan.sim.failing import Failure
from linkspan.sim.guests import kept_by_docker
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.spec import CAPS_MAJOR, CAPS_OF_INSTANCE, FIRST_CAP, SimSpec
from linkspan.sim.tree import Node

_CUT = SimSpec(gpus=1, model="A100", mig=("3g.20gb", "3g.20gb"), engines=("docker",))
_HALF = SimSpec(gpus=1, model="A100", mig=("3g.20gb", "2g.10gb"), engines=("docker",))
_CAPABILITIES = "/proc/driver/nvidia/capabilities/gpu0/mig"


def _old_name(machine: Machine) -> None:
    name = "MIG-GPU-01000100-0000-0000-0000-000000000000/1/0"
    error = (
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
        "failed: unable to start container process: error during container init: error running prestart hook #0: exit "
        f"status 1, stdout: , stderr: nvidia-container-cli: device error: {name}: unknown device: unknown"
    )
    asked = {"Driver": "", "Count": 0, "DeviceIDs": [name], "Capabilities": [["gpu"]], "Options": {}}
    kept_by_docker(machine, 61, "infer", error=error, requests=[asked])


def _instance(machine: Machine, gi: int) -> None:
    """What the driver does when somebody makes one more GPU instance, with a compute instance in it."""
    first = FIRST_CAP + gi * CAPS_OF_INSTANCE
    for name, minor in ((f"gi{gi}/access", first), (f"gi{gi}/ci0/access", first + 1)):
        content = f"DeviceFileMinor: {minor}\nDeviceFileMode: {0o444}\nDeviceFileModify: 1\n"
        machine.write(f"{_CAPABILITIES}/{name}", content, changed=RECENTLY)
        machine.put({f"/dev/nvidia-caps/nvidia-cap{minor}": Node(CAPS_MAJOR, minor, 0o444)}, RECENTLY)
        machine.link(f"/dev/char/{CAPS_MAJOR}:{minor}", f"../nvidia-caps/nvidia-cap{minor}")


def _made_after_the_spec(machine: Machine) -> None:
    _instance(machine, 9)


def _nodes_not_made(machine: Machine) -> None:
    machine.remove("/dev/nvidia-caps", f"/dev/char/{CAPS_MAJOR}:*")


FAILURES = {
    "D-MIG-1": Failure("a container asks for a MIG device by its old name", _old_name, _CUT),
    "D-MIG-2": Failure("a MIG device was made after the CDI spec", _made_after_the_spec, _HALF),
    "D-MIG-3": Failure("nothing has made the nodes of the MIG devices", _nodes_not_made, _CUT),
}
