"""``python -m tests.contract``: each case, what had to come of it, and what did; exit code 1 if it was another."""

import sys
from collections import Counter

from rich.console import Console
from rich.progress import track
from rich.table import Table

from linkspan.errors import LinkspanError
from tests.contract import suite
from tests.debian import UnavailableError
from tests.folders import open_folder

LONGEST = 60
"""Characters of an answer in the table."""


def main() -> int:
    """Run the suite and print the comparison."""
    try:
        with open_folder("contract") as folder, suite.programs(folder) as programs:
            return _compare(programs)
    except (UnavailableError, LinkspanError) as error:
        sys.stderr.write(f"contract: {error}\n")
        return 3


def _compare(programs: suite.Programs) -> int:
    table = Table("program", "case", "has to be given", "was given", "verdict", title="The GPU container contract")
    counts: Counter[str] = Counter()
    for case in track(suite.CASES, "cases", transient=True):
        answer = suite.ask(case, programs)
        verdict = case.verdict(answer)
        counts[verdict.partition(":")[0].partition(";")[0]] += 1
        given = answer.text if answer else ""
        table.add_row(programs.name(case.program), case.name, _short(case.expected), _short(given), verdict)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    sys.stdout.write(f"{counts.total()} cases: {', '.join(f'{n} {verdict}' for verdict, n in counts.items())}\n")
    return 1 if counts["other"] else 0


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


if __name__ == "__main__":
    sys.exit(main())
