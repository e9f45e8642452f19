"""The suite under pytest: linkspan's programs answer as they have to; others as the contract says, or better."""

from collections.abc import Iterator

import pytest

from tests.contract import suite
from tests.contract.case import Case
from tests.contract.programs import Programs
from tests.folders import open_folder

pytestmark = pytest.mark.privileged


@pytest.fixture(scope="module")
def programs() -> Iterator[Programs]:
    with open_folder("contract") as folder, suite.programs(folder) as found:
        yield found


@pytest.mark.parametrize("case", suite.CASES, ids=str)
def test_a_case_is_answered_as_the_contract_says(programs: Programs, case: Case) -> None:
    answer = suite.ask(case, programs)
    if answer is None:
        pytest.skip(f"there is no {programs.path(case.program)}")
    allowed = [case.ours] if programs.are_ours(case.program) else [case.expected, case.ours]
    assert answer.text in allowed, answer.said


def test_every_case_has_a_name_of_its_own_and_a_reason_where_we_differ() -> None:
    assert len({str(case) for case in suite.CASES}) == len(suite.CASES)
    assert all(case.why for case in suite.CASES if case.better is not None)
