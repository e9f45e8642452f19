"""The results as a table for the terminal and as a page for the documentation."""

import dataclasses
import statistics
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tests.bench import engines, measure
from tests.bench.engines import Engine
from tests.bench.measure import STEPS, Life

COLUMNS = ("way", "median", "quartiles", "over plain runc", "ratio", "budget", *STEPS)
PROGRAM_COLUMNS = ("program", "median", "quartiles")
ENGINE_COLUMNS = ("engine", "way", "median", "quartiles", "over plain", "rounds")


@dataclasses.dataclass(frozen=True)
class Results:
    """All that was measured, in milliseconds. ``budgets`` are shares of the base's median."""

    lives: dict[str, list[Life]]
    budgets: dict[str, float]
    passing: dict[str, list[float]]
    generation: dict[str, list[float]]
    machine: dict[str, str]
    base: str

    def totals(self, name: str) -> list[float]:
        """Whole lives of one way."""
        return [measure.total(life) for life in self.lives[name]]

    @property
    def base_median(self) -> float:
        """The median life of the base."""
        return statistics.median(self.totals(self.base))

    def over(self, name: str) -> float:
        """What a way takes over the base: the median of the differences within each round."""
        return measure.over(self.totals(name), self.totals(self.base))

    def budget(self, name: str) -> float | None:
        """What it may take over the base, on this machine."""
        share = self.budgets.get(name)
        return None if share is None else share * self.base_median


def life_row(results: Results, name: str) -> tuple[str, ...]:
    """One line of the table of container lives."""
    low, middle, high = measure.quartiles(results.totals(name))
    extra, budget = results.over(name), results.budget(name)
    steps = [statistics.median(life[step] for life in results.lives[name]) for step in STEPS]
    return (
        name,
        f"{middle:.1f}",
        f"{low:.1f} to {high:.1f}",
        "" if name == results.base else f"{extra:+.1f}",
        f"{1 + extra / results.base_median:.2f}",
        "" if budget is None else f"{budget:+.1f} {'kept' if extra <= budget else 'missed'}",
        *(f"{step:.1f}" for step in steps),
    )


def program_rows(results: Results) -> list[tuple[str, ...]]:
    """The lines of the table of single programs."""
    named = {**results.passing, **{f"cdi generate, {name}": times for name, times in results.generation.items()}}
    return [_program_row(name, times) for name, times in named.items()]


def _program_row(name: str, times: list[float]) -> tuple[str, ...]:
    low, middle, high = measure.quartiles(times)
    return (name, f"{middle:.1f}", f"{low:.1f} to {high:.1f}")


def engine_rows(found: Sequence[Engine]) -> list[tuple[str, ...]]:
    """The lines of the table of engines: every way of those that could be had."""
    return [_engine_row(engine, way) for engine in found for way in engine.times]


def _engine_row(engine: Engine, way: str) -> tuple[str, ...]:
    times, plain = engine.times[way], engine.times[engines.PLAIN]
    low, middle, high = measure.quartiles(times)
    extra = "" if way == engines.PLAIN else f"{measure.over(times, plain):+.0f}"
    return (engine.name, way, f"{middle:.0f}", f"{low:.0f} to {high:.0f}", extra, str(len(times)))


def engines_table(found: Sequence[Engine]) -> Table:
    """Engines, for the terminal."""
    return _table("run --rm of /bin/true by engine: ms", ENGINE_COLUMNS, engine_rows(found))


def left_out(found: Sequence[Engine]) -> list[str]:
    """One sentence for each engine that could not be had."""
    return [f"{engine.name} is left out: {engine.why_not}" for engine in found if engine.why_not]


def lives_table(results: Results) -> Table:
    """Container lives, for the terminal."""
    runs = len(results.lives[results.base])
    return _table(
        f"create, start, wait, delete: ms, {runs} runs", COLUMNS, [life_row(results, way) for way in results.lives]
    )


def programs_table(results: Results) -> Table:
    """Single programs, for the terminal."""
    return _table("single programs: ms", PROGRAM_COLUMNS, program_rows(results))


def _table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column in ("way", "program", "engine") else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


PAGE = """\
# What a container start costs

Written by `make bench`; times are in milliseconds. A life is create, start, wait and delete of a container that runs
`/bin/true`, each in a fresh root filesystem, an
overlay whose upper layer is in memory. The host has eight simulated GPUs, of which two are asked for. All ways
took turns in one run of {runs} rounds. "Over plain runc" is the median of the differences within each round; the budget
is 12 ms where plain runc takes 46, scaled to what plain runc took here.

![Time over plain runc, with the budget]({plot})

{lives}

{programs}

`state` of a container that does not exist shows what verbs other than create pay for the wrapper: {passing:+.1f} ms.

{engines}
## Where

{machine}
"""
ENGINES_HEADING = "## By engine"
ENGINES = """\
{heading}

`run --rm` of an image's `/bin/true` by each engine, on a machine of its own made of namespaces, with nothing asked for
and with one GPU: by Docker's `--gpus`, by linkspan-runtime as the container's runtime, by the name of a CDI device. It
is the engine's own work for the most part; "over plain" is the median of the differences within each round. {rounds}
rounds, or fewer where an engine would take too long.

{table}
{left_out}
"""


def engines_markdown(found: Sequence[Engine]) -> str:
    """The part of the page on engines."""
    table = _markdown_table(ENGINE_COLUMNS, engine_rows(found))
    sentences = "".join(f"\n{sentence}.\n" for sentence in left_out(found))
    return ENGINES.format(heading=ENGINES_HEADING, rounds=engines.ROUNDS, table=table, left_out=sentences)


def with_engines(page: str, part: str) -> str:
    """A page with another part on engines in the place of its own, or before its last part if it has none."""
    before, _, rest = page.partition("## Where\n")
    before = before.partition(f"{ENGINES_HEADING}\n")[0]
    return f"{before}{part}## Where\n{rest}"


def markdown(results: Results, plot: str, engines_part: str) -> str:
    """The page for the documentation."""
    runc, wrapper, _ = results.passing.values()
    return PAGE.format(
        runs=len(results.lives[results.base]),
        plot=plot,
        lives=_markdown_table(COLUMNS, [life_row(results, way) for way in results.lives]),
        programs=_markdown_table(PROGRAM_COLUMNS, program_rows(results)),
        passing=measure.over(wrapper, runc),
        engines=engines_part,
        machine="\n".join(f"- {name}: {value}" for name, value in results.machine.items()),
    )


def _markdown_table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    rule = [":--", *["--:"] * (len(columns) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows))
