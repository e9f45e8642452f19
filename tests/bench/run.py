"""``make bench``: what a container start through linkspan takes over plain runc, and with each engine, and a CDI spec.

Everything is measured in one run and interleaved, with a fresh root filesystem for every container, on a simulated host
with eight GPUs of which two are asked for. LINKSPAN_BENCH_RUNTIME and
LINKSPAN_BENCH_HOOK name another OCI runtime wrapper and another prestart hook to measure beside.
"""

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress

from linkspan.errors import LinkspanError
from linkspan.sim.create import create
from linkspan.sim.spec import SimSpec
from linkspan.store import launchers
from tests import containers, driver_files, mounts
from tests.bench import engines, machine, measure, plot, report
from tests.bench.engines import Engine
from tests.bench.report import Results
from tests.bench.ways import PLAIN, ways
from tests.debian import UnavailableError
from tests.toolkit import Toolkit

EIGHT = SimSpec(gpus=8, model="H100", driver="550.163.01")
SIXTY_FOUR_MIG = SimSpec(gpus=64, model="H100", driver="550.163.01", mig=("1g.10gb",))
GENERATIONS = {"8 GPUs": EIGHT, "64 GPUs with 7 MIG devices each": SIXTY_FOUR_MIG}
GENERATION_ROUNDS = 5
MEMORY_KB = 2 << 20
WIDTH = 160
"""Columns of the table where it goes into a file."""


def main(argv: list[str]) -> int:
    """Measure, print, write; 0, or 3 where this machine cannot run containers."""
    options = _parse(argv)
    try:
        containers.need(containers.RUNC_V1)
        with tempfile.TemporaryDirectory(prefix="linkspan-bench-") as folder, mounts.tmpfs(folder, MEMORY_KB):
            # Bundles and the upper layers of the root filesystems in memory: a disk would measure what else is written.
            tempfile.tempdir = folder
            found = _engines(folder)
            results = None if options.engines else _measure(folder, options.runs)
    except (UnavailableError, LinkspanError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 3
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    _show(console, results, found)
    os.makedirs(options.into, exist_ok=True)
    _write(f"{options.into}/latest", results, report.engines_markdown(found))
    return 0


def _show(console: Console, results: Results | None, found: list[Engine]) -> None:
    if results:
        console.print(report.lives_table(results), report.programs_table(results))
    console.print(report.engines_table(found))
    for sentence in report.left_out(found):
        console.print(sentence, highlight=False)


def _write(path: str, results: Results | None, engines_part: str) -> None:
    """The page and the plot; without results, the part on engines of the page that there is."""
    if results:
        page = report.markdown(results, "latest.svg", engines_part)
        plot.draw(results, f"{path}.svg")
    else:
        with open(f"{path}.md", encoding="utf-8") as file:
            page = report.with_engines(file.read(), engines_part)
    with open(f"{path}.md", "w", encoding="utf-8") as file:
        file.write(page)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("-n", dest="runs", type=int, default=40, metavar="RUNS", help="rounds (default: 40)")
    parser.add_argument("--into", default="docs/benchmarks", metavar="DIR", help="where the page and the plot go")
    parser.add_argument("--engines", action="store_true", help="the engines alone, into the page that is there")
    options = parser.parse_args(argv)
    if options.runs < 2:
        parser.error("a median takes two runs at least")
    if options.engines and not os.path.exists(f"{options.into}/latest.md"):
        parser.error(f"{options.into} has no page yet for --engines to write its part of")
    return options


def _measure(folder: str, rounds: int) -> Results:
    with gpu_host(f"{folder}/host", EIGHT) as (root, files), Progress(transient=True) as progress:
        toolkit = Toolkit(f"{folder}/toolkit", root)
        compared = ways(toolkit, toolkit.generate(), os.environ)
        task = progress.add_task("container starts", total=rounds * len(compared))
        lives = measure.lives(compared, rounds, lambda: progress.advance(task))
        passing = _pass_through(toolkit, rounds)
    return Results(
        lives={name: list(found) for name, found in lives.items()},
        budgets={way.name: way.budget for way in compared if way.budget},
        passing=passing,
        generation=_generation(folder),
        machine=machine.describe(files),
        base=PLAIN,
    )


def _engines(folder: str) -> list[Engine]:
    with gpu_host(f"{folder}/engines", EIGHT) as (root, _), Progress(transient=True) as progress:
        task = progress.add_task("engines", total=None)
        return engines.measure_all(root, lambda name: progress.update(task, description=name))


@contextlib.contextmanager
def gpu_host(folder: str, spec: SimSpec) -> Iterator[tuple[str, str]]:
    """A simulated host's root, and what its driver files are: Debian's where they can be had."""
    try:
        driver_files.driver_root("550")
    except UnavailableError:
        create(folder, spec)
        yield folder, "simulated"
    else:
        with driver_files.gpu_host("550", spec) as root:
            yield root, "Debian's 550.163.01"


def _generate(root: str, output: str) -> list[str]:
    return ["cdi", "generate", "--driver-root", root, "--output", output]


def _pass_through(toolkit: Toolkit, rounds: int) -> dict[str, list[float]]:
    """``state`` of no container: through the wrapper, and runc itself."""
    wrapper = toolkit.over(containers.RUNC_V1)
    toolkit.patch(containers.Bundle(toolkit.folder, "/").write(), wrapper)  # the first start has been
    environment = {"PATH": os.environ["PATH"], **wrapper.env}
    with open(wrapper.env["NVIDIA_CTK_CONFIG_FILE_PATH"], encoding="utf-8") as file:
        runc = next(line.split('"')[1] for line in file if line.startswith("runtimes"))
    verb = ["--root", f"{toolkit.folder}/none", "state", "nothing"]
    commands = {
        "runc state": [runc, *verb],
        "linkspan-runtime state": [wrapper.program, *verb],
        "the start path's Python, doing nothing": [launchers.interpreter(), "-IS", "-c", "pass"],
    }
    return measure.programs(commands, rounds, environment)


def _generation(folder: str) -> dict[str, list[float]]:
    commands = {}
    for name, spec in GENERATIONS.items():
        root = f"{folder}/{spec.gpus}"
        create(root, spec)
        commands[name] = [sys.executable, "-m", "linkspan", *_generate(root, f"{root}.yaml")]
    return measure.programs(commands, GENERATION_ROUNDS, {"PATH": os.environ["PATH"]})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
