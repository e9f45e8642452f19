"""All cases of the contract, and the host and programs that they are tried with."""

import contextlib
import os
from collections.abc import Iterator

from linkspan.sim.create import create, remove
from linkspan.sim.spec import SimSpec
from tests import containers, mounts
from tests.contract import cdi_hook, cli, injection, vectors
from tests.contract.case import Answer, Case
from tests.contract.programs import Programs
from tests.toolkit import Toolkit

CASES: tuple[Case, ...] = (*vectors.CASES, *injection.CASES, *cdi_hook.CASES, *cli.CASES)


@contextlib.contextmanager
def programs(folder: str) -> Iterator[Programs]:
    """The programs under test on a simulated host below a folder; UnavailableError where no container runs here."""
    mounts.enter_private_mounts()
    containers.need(containers.RUNC_V1)
    create(f"{folder}/host", SimSpec(gpus=8, model="H100", driver="550.163.01"))
    try:
        toolkit = Toolkit(f"{folder}/toolkit", f"{folder}/host")
        toolkit.generate()
        yield Programs(toolkit, os.environ)
    finally:
        remove(f"{folder}/host")


def ask(case: Case, found: Programs) -> Answer | None:
    """The answer to a case; None where its program is not there."""
    return case.act(found) if found.has(case.program) else None
