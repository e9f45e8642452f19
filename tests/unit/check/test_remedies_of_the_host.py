"""What mends a host: each command is there, fixes mend and can be undone, faults are found."""

import shlex

import pytest

from linkspan.check import fix, registry, run
from linkspan.check.eyes import Eyes, Ledger, Replay, live, pack, unpack
from linkspan.check.model import RunProgram
from linkspan.check.scene import Scene
from linkspan.sim import create, failing
from linkspan.sim.failures import driver, driver_inside, install, mig, perm
from linkspan.sim.machine import Machine
from linkspan.sim.spec import SimSpec
from tests.unit.check.examined import DOCKER, findings, ids

pytestmark = pytest.mark.allow_subprocess

OURS = {**driver.FAILURES, **driver_inside.FAILURES, **perm.FAILURES, **mig.FAILURES, **install.FAILURES}
COREUTILS = {"echo", "printf", "rm", "mknod", "sh", "cat", "kill", "chmod", "reboot"}
"""What every system has, and simulated ones need not."""


@pytest.mark.parametrize("name", OURS)
def test_every_command_of_a_remedy_is_on_the_host_that_it_is_for(tmp_path, name):
    root = f"{tmp_path}/host"
    failing.create_failing(root, name)
    scene = Scene(live(root, Ledger()))
    for one in findings(root):
        for command in one.remedy.commands:
            program = shlex.split(command)[0]
            assert program in COREUTILS or scene.eyes.exists(program) or scene.has(program), command


MENDED = ["D-DRIVER-16", "D-DRIVER-18", "D-DRIVER-19", "D-DRIVER-20", "D-MIG-3", "D-PERM-8", "D-PERM-10"]


@pytest.mark.parametrize("name", MENDED)
def test_what_a_fix_does_mends_it_and_undo_takes_it_back(tmp_path, name):
    root = f"{tmp_path}/host"
    failing.create_failing(root, name)
    before = [one for one in findings(root) if one.id == name]
    steps = [step for step in fix.steps_of(before) if not isinstance(step.action, RunProgram)]
    assert steps
    list(fix.apply(root, steps))
    if name == "D-PERM-10":  # a profile counts once it is loaded
        Machine(root, DOCKER).append("/sys/kernel/security/apparmor/profiles", "/usr/bin/rootlesskit (unconfined)\n")
    assert name not in ids(findings(root))
    list(fix.undo(root))
    if name != "D-PERM-10":
        assert name in ids(findings(root))


FAULTS = {
    "driver-mismatch": "D-DRIVER-1",
    "unloaded": "D-DRIVER-5",
    "nouveau": "D-DRIVER-6",
    "no-nodes": "D-DRIVER-18",
    "missing-node=1": "D-DRIVER-18",
    "no-uvm": "D-DRIVER-4",
    "no-libcuda": "D-DRIVER-3",
    "no-nvml": "D-DRIVER-3",
    "stale-cache": "D-DRIVER-3",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_simulated_host_is_found_first(tmp_path, fault):
    create.create(f"{tmp_path}/host", SimSpec(gpus=2, engines=("docker",), faults=(fault,)))
    assert findings(f"{tmp_path}/host")[0].id == FAULTS[fault]


@pytest.mark.parametrize("name", OURS)
def test_a_bundle_of_the_host_tells_the_same_somewhere_else(tmp_path, name):
    root = f"{tmp_path}/host"
    failing.create_failing(root, name)
    seen = run.examine(root, registry.all_rules(), record=True)
    known = unpack(pack(seen.known))
    again = run.examine("x", registry.all_rules(), open_eyes=lambda _, ledger: Eyes(Replay(known), ledger))
    assert again.report.findings == seen.report.findings
    assert again.report.unanswered == ()
