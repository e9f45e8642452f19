"""Failures of containers in gVisor."""

import json

from linkspan.sim.failing import Failure
from linkspan.sim.guests import ALL_GPUS, kept_by_docker
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.processes import container_id, process, program
from linkspan.sim.spec import SimSpec

_POD = "0f9d1c1e-6a52-4a8e-9b1f-5d1a3c7e2b40"


def _driver_newer_than_runsc(machine: Machine) -> None:
    entry = {"path": "/usr/local/bin/runsc", "runtimeArgs": ["--nvproxy", "--debug", "--debug-log=/var/log/runsc/"]}
    machine.put({"/usr/local/bin/runsc": program("runsc")})
    machine.edit_json("/etc/docker/daemon.json", lambda document: document["runtimes"].update(runsc=entry))
    driver = machine.spec.driver_version
    line = "W1114 22:21:40.1 1 cmd.go:82] FATAL ERROR: error setting up chroot: registering nvproxy driver: "
    log = f"{line}unsupported Nvidia driver version: {driver}\n"
    machine.write("/var/log/runsc/runsc.log.20231114-222140.000001.boot.txt", log, changed=RECENTLY)
    error = (
        "failed to create shim task: OCI runtime create failed: creating container: cannot create sandbox: cannot read "
        "client sync file: waiting for sandbox to start: EOF: unknown"
    )
    kept_by_docker(machine, 4401, "agent", error=error, runtime="runsc", requests=[ALL_GPUS])


def _claim_in_gvisor(machine: Machine) -> None:
    claim = {
        "ClaimUID": "77e1c6f0-4f0c-4a57-8d0b-2f2b1a1f9e11",
        "ClaimName": "one-gpu",
        "Namespace": "agents",
        "PodUIDs": {_POD: {}},
        "DriverState": {"gpu.nvidia.com": {"Devices": [{"PoolName": "node-1", "DeviceName": "gpu-0"}]}},
    }
    data = json.dumps({"kind": "DRACheckpoint", "ClaimInfoStateList": [claim]})
    machine.write("/var/lib/kubelet/dra_manager_state", json.dumps({"Data": data, "Checksum": 1}))
    slices = f"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{_POD.replace('-', '_')}.slice"
    argv = ["runsc-sandbox", "--root=/run/containerd/runsc/k8s.io", "--nvproxy=true", "boot", "--bundle=/run/b"]
    cgroup = f"{slices}/cri-containerd-{container_id(4402)}.scope"
    machine.put(process(4402, argv, exe="/usr/local/bin/runsc", cgroup=cgroup), RECENTLY)


FAILURES = {
    "D-SANDBOX-1": Failure("the driver is newer than those that runsc knows", _driver_newer_than_runsc),
    "D-SANDBOX-2": Failure(
        "a pod in gVisor holds a DRA claim", _claim_in_gvisor, SimSpec(gpus=2, engines=("containerd",))
    ),
}
