"""``python -m tests.contract``: each vector, what had to come of it, and what did; exit code 1 if it was another."""

import os
import sys
import tempfile

from rich.console import Console
from rich.progress import track
from rich.table import Table

from linkspan.errors import LinkspanError
from linkspan.sim.create import create, remove
from linkspan.sim.spec import SimSpec
from tests import containers, mounts
from tests.contract.programs import Answer, Programs
from tests.contract.vectors import ALL, Devices, Vector
from tests.debian import UnavailableError
from tests.toolkit import Toolkit


def main() -> int:
    """Run the suite and print the comparison."""
    try:
        mounts.enter_private_mounts()
        containers.need(containers.RUNC_V1)
        with tempfile.TemporaryDirectory(prefix="linkspan-contract-") as folder:
            return _compare(folder)
    except (UnavailableError, LinkspanError) as error:
        sys.stderr.write(f"contract: {error}\n")
        return 3


def _compare(folder: str) -> int:
    create(f"{folder}/host", SimSpec(gpus=8, model="H100", driver="550.163.01"))
    try:
        toolkit = Toolkit(f"{folder}/toolkit", f"{folder}/host")
        toolkit.generate()
        programs = Programs(toolkit, os.environ)
        found = [(vector, programs.ask(vector)) for vector in track(ALL, "requests", transient=True)]
    finally:
        remove(f"{folder}/host")
    table = Table("program", "request", "has to be given", "was given", "verdict", title="The GPU container contract")
    for vector, answer in found:
        table.add_row(
            programs.name(vector), vector.name, shown(vector.expected), shown(answer.devices), verdict(vector, answer)
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    others = [vector for vector, answer in found if verdict(vector, answer).startswith("other")]
    return 1 if others else 0


def verdict(vector: Vector, answer: Answer) -> str:
    """How an answer stands to the contract."""
    if answer.devices == vector.expected:
        return "as the contract" if vector.better == "same" else f"as the contract; better would be: {vector.why}"
    return f"better: {vector.why}" if answer.devices == vector.ours else f"other: {answer.said.splitlines()[-1:]}"


def shown(devices: Devices) -> str:
    """Device nodes in short."""
    if devices is None:
        return "refused"
    return " ".join(sorted(path.removeprefix("/dev/") for path in devices)) or "nothing"


if __name__ == "__main__":
    sys.exit(main())
