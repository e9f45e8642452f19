"""The suite under pytest: linkspan's programs answer as they have to; others as the contract says, or better."""

from collections.abc import Iterator

import pytest

from tests.contract import areas
from tests.contract.case import NO_PROGRAM, Case
from tests.contract.programs import Programs, under_test
from tests.debian import UnavailableError

pytestmark = pytest.mark.privileged


@pytest.fixture(scope="module")
def programs() -> Iterator[Programs]:
    try:
        with under_test() as found:
            yield found
    except UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("case", areas.ALL, ids=str)
def test_a_program_answers_as_the_contract_says(programs: Programs, case: Case) -> None:
    found = programs.ask(case)
    if found.given == NO_PROGRAM:
        pytest.skip(f"there is no program {programs.path(case.program)}")
    allowed = [case.ours] if programs.are_ours(case.program) else [case.wanted, case.ours]
    assert found.given in allowed, found.said


def test_every_case_has_a_name_of_its_own_and_a_reason_where_we_differ() -> None:
    assert len({str(case) for case in areas.ALL}) == len(areas.ALL)
    assert all(case.why for case in areas.ALL if case.better is not None)
