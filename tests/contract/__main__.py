"""``python -m tests.contract``: each case, what had to come of it, and what did; exit code 1 if it was another."""

import sys

from rich.console import Console
from rich.progress import track
from rich.table import Table

from linkspan.errors import LinkspanError
from tests.contract import areas
from tests.contract.case import Answer, Case, verdict
from tests.contract.programs import Programs, under_test
from tests.debian import UnavailableError


def main() -> int:
    """Run the suite and print the comparison."""
    try:
        with under_test() as programs:
            found = [(case, programs.ask(case)) for case in track(areas.ALL, "cases", transient=True)]
            Console(width=None if sys.stdout.isatty() else 200).print(_table(programs, found))
    except (UnavailableError, LinkspanError) as error:
        sys.stderr.write(f"contract: {error}\n")
        return 3
    return 1 if any(verdict(case, answer).startswith("other") for case, answer in found) else 0


def _table(programs: Programs, found: list[tuple[Case, Answer]]) -> Table:
    table = Table("program", "case", "wanted", "given", "verdict", title="The GPU container contract")
    for case, answer in found:
        name = programs.name(case.program)
        table.add_row(name, case.name, case.wanted, answer.given, verdict(case, answer))
    return table


if __name__ == "__main__":
    sys.exit(main())
