"""The suite under pytest: linkspan's programs answer as they have to; others as the contract says, or better."""

import os

import pytest

from linkspan.sim.create import create
from linkspan.sim.spec import SimSpec
from tests import containers, mounts
from tests.contract.programs import Programs
from tests.contract.vectors import ALL, Vector
from tests.debian import UnavailableError
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    try:
        mounts.enter_private_mounts()
        containers.need(containers.RUNC_V1)
    except UnavailableError as reason:
        pytest.skip(str(reason))
    root = str(tmp_path_factory.mktemp("host"))
    create(root, SimSpec(gpus=8, model="H100", driver="550.163.01"))
    toolkit = Toolkit(str(tmp_path_factory.mktemp("toolkit")), root)
    toolkit.generate()
    return Programs(toolkit, os.environ)


@pytest.mark.parametrize("vector", ALL, ids=str)
def test_a_request_is_answered_as_the_contract_says(programs: Programs, vector: Vector) -> None:
    found = programs.ask(vector)
    allowed = [vector.ours] if programs.are_ours(vector) else [vector.expected, vector.ours]
    assert found.devices in allowed, found.said


def test_every_vector_has_a_name_of_its_own_and_a_reason_where_we_differ() -> None:
    assert len({str(vector) for vector in ALL}) == len(ALL)
    assert all(vector.why for vector in ALL if vector.better != "same")
