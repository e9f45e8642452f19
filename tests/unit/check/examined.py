"""What the doctor says of a simulated host, for tests."""

from collections.abc import Callable

from linkspan.check import registry, run
from linkspan.check.model import Finding
from linkspan.sim import create
from linkspan.sim.machine import Machine
from linkspan.sim.spec import SimSpec

DOCKER = SimSpec(gpus=2, engines=("docker",))
PODMAN = SimSpec(gpus=2, engines=("podman",))


def findings(root: object) -> list[Finding]:
    """All that the doctor finds; each rule has to answer."""
    report = run.examine(str(root), registry.all_rules()).report
    assert report.unanswered == ()
    return list(report.findings)


def found(folder: object, happen: Callable[[Machine], None], spec: SimSpec = DOCKER) -> list[Finding]:
    """What it finds on a host in this folder to which this happened."""
    root = f"{folder}/host"
    create.create(root, spec)
    happen(Machine(root, spec))
    return findings(root)


def ids(found: list[Finding]) -> list[str]:
    """The failure modes of findings, in their order."""
    return [one.id for one in found]
