"""Compose files as the labels of containers name them, and what is wrong with a reservation."""

import pytest

from linkspan.check.rules import compose_01_reservation
from linkspan.sim import create
from linkspan.sim.failures.compose import project
from linkspan.sim.machine import Machine
from linkspan.sim.spec import SimSpec
from tests.unit.check.scenes import scene

pytestmark = pytest.mark.allow_subprocess

WHOLE = "services:\n  llm:\n    deploy:\n      resources:\n        reservations:\n          devices:\n{}"


def causes(tmp_path, devices):
    spec = SimSpec(gpus=1, engines=("docker",))
    create.create(str(tmp_path / "host"), spec)
    project(Machine(str(tmp_path / "host"), spec), WHOLE.format(devices), 4001)
    return [one.cause for one in compose_01_reservation.RULE.look(scene(tmp_path / "host", {}))]


@pytest.mark.parametrize(
    ("devices", "cause"),
    [
        ("            - driver: nvidia\n              count: 1\n", "without capabilities"),
        ("            - driver: nvidia\n              count: 1\n            - capabilities: [gpu]\n", "2 items"),
        (
            "            - driver: nvidia\n              count: 1\n              device_ids: ['0']\n"
            "              capabilities: [gpu]\n",
            "both count and device_ids",
        ),
        ("            driver: nvidia\n            capabilities: [gpu]\n", "no list"),
    ],
)
def test_a_reservation_that_reserves_nothing_is_told(tmp_path, devices, cause):
    assert [cause in one for one in causes(tmp_path, devices)] == [True]


@pytest.mark.parametrize(
    "devices",
    [
        "            - {driver: nvidia, count: all, capabilities: [gpu]}\n",
        "            - capabilities: [[gpu]]\n",
        "            - {driver: cdi, device_ids: [nvidia.com/gpu=all]}\n",
        "            - {driver: nvidia, device_ids: ['0', '3'], capabilities: [gpu, video]}\n",
    ],
)
def test_a_reservation_that_is_right_is_not_told(tmp_path, devices):
    assert causes(tmp_path, devices) == []
