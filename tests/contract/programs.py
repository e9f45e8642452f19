"""The programs under test, and where they find the host.

    LINKSPAN_CONTRACT_RUNTIME   an OCI runtime wrapper, as nvidia-container-runtime is one
    LINKSPAN_CONTRACT_HOOK      a prestart hook, as nvidia-container-runtime-hook is one
    LINKSPAN_CONTRACT_CDI_HOOK  the program that CDI specs name, as nvidia-cdi-hook is one
    LINKSPAN_CONTRACT_CLI       what lists and configures, as nvidia-container-cli does

Without them they are linkspan's, installed below a folder of the test's. The host is a simulated one, in a folder too.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping

from linkspan.sim.create import create, remove
from linkspan.sim.spec import SimSpec
from tests import containers, mounts
from tests.containers import RUNC_V1, RUNC_V2, Runtime
from tests.contract.case import NO_PROGRAM, Answer, Case, Program
from tests.folders import open_folder
from tests.toolkit import Toolkit

SPEC = SimSpec(gpus=8, model="H100", driver="550.163.01", sockets=True)
"""The host that every case is about."""


class Programs:
    """A toolkit under test on a simulated host."""

    def __init__(self, toolkit: Toolkit, environment: Mapping[str, str]) -> None:
        self.toolkit = toolkit
        self.low_level = low_level()
        folder = toolkit.place.programs
        self._ours: dict[Program, str] = {
            "runtime": toolkit.place.runtime,
            "hook": toolkit.place.prestart,
            "cdi-hook": f"{folder}/nvidia-cdi-hook",
            "cli": f"{folder}/nvidia-container-cli",
        }
        self._paths = {kind: environment.get(_variable(kind), ours) for kind, ours in self._ours.items()}

    def path(self, kind: Program) -> str:
        """The program of a kind that is under test."""
        return self._paths[kind]

    def name(self, kind: Program) -> str:
        """What it is called."""
        return os.path.basename(self._paths[kind])

    def are_ours(self, kind: Program) -> bool:
        """Whether it is linkspan's."""
        return self._paths[kind] == self._ours[kind]

    def ask(self, case: Case) -> Answer:
        """Put a case to the program that it is for, if there is one."""
        return case.ask(self) if shutil.which(self.path(case.program)) else Answer(NO_PROGRAM)


def _variable(kind: Program) -> str:
    return f"LINKSPAN_CONTRACT_{kind.upper().replace('-', '_')}"


def low_level() -> Runtime:
    """runc on the version of cgroups that this machine has. Raises UnavailableError where it starts no container."""
    return RUNC_V2 if containers.why_not(RUNC_V1) and not containers.why_not(RUNC_V2) else containers.need(RUNC_V1)


@contextlib.contextmanager
def under_test() -> Iterator[Programs]:
    """The programs, and their host for as long as this lasts. Raises UnavailableError where no container can run."""
    mounts.enter_private_mounts()
    low_level()
    with open_folder("contract") as folder:
        create(f"{folder}/host", SPEC)
        try:
            toolkit = Toolkit(f"{folder}/toolkit", f"{folder}/host")
            toolkit.generate()
            yield Programs(toolkit, os.environ)
        finally:
            remove(f"{folder}/host")
