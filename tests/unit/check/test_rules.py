"""Every failure that can be simulated, and what the doctor says of it."""

import pytest

from linkspan.check import registry, run, verdict
from linkspan.check.model import Report
from linkspan.sim import create, failing
from linkspan.sim.spec import SimSpec

pytestmark = pytest.mark.allow_subprocess

HEALTHY = {
    "docker": SimSpec(gpus=2, engines=("docker",)),
    "docker, 8 GPUs, MIG": SimSpec(gpus=8, model="A100", mig=("3g.20gb",), engines=("docker",)),
    "RHEL, podman": SimSpec(gpus=2, layout="rhel", engines=("podman",)),
    "NixOS, docker": SimSpec(gpus=1, layout="nixos", engines=("docker",)),
    "WSL2, docker": SimSpec(gpus=1, layout="wsl", engines=("docker",)),
    "Container-Optimized OS, containerd": SimSpec(gpus=4, layout="cos", engines=("containerd",)),
    "rootless docker": SimSpec(gpus=2, engines=("rootless-docker",)),
    "rootful and rootless docker, podman": SimSpec(gpus=2, engines=("docker", "rootless-docker", "podman")),
    "Jetson, docker": SimSpec(gpus=0, layout="tegra", engines=("docker",)),
    "k3s": SimSpec(gpus=2, engines=("k3s",)),
    "CRI-O": SimSpec(gpus=2, engines=("crio",)),
}


def examine(root: object) -> Report:
    return run.examine(str(root), registry.all_rules()).report


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_host_has_no_finding_at_all(tmp_path, name):
    create.create(str(tmp_path / "host"), HEALTHY[name])
    report = examine(tmp_path / "host")
    assert [(one.id, one.cause, one.evidence) for one in report.findings] == []
    assert report.unanswered == ()


@pytest.mark.parametrize("failure", failing.all_failures())
def test_a_failure_is_the_only_finding_on_the_first_broken_link(tmp_path, failure):
    failing.create_failing(str(tmp_path / "host"), failure)
    report = examine(tmp_path / "host")
    assert report.unanswered == ()
    rule = next(rule for rule in registry.all_rules() if rule.id == failure)
    told = verdict.first(report) if _breaks(report, failure) else report.findings
    assert {one.id for one in told} == {failure}
    assert all(one.evidence and one.remedy.text and one.cause for one in told)
    assert rule.id == failure


def _breaks(report: Report, failure: str) -> bool:
    return any(verdict.breaks(one) for one in report.findings if one.id == failure)


def test_every_rule_has_a_failure_that_it_finds():
    assert {rule.id for rule in registry.all_rules()} <= set(failing.all_failures())
