"""``make bench``: what a container start through linkspan takes over plain runc, and what making a CDI spec takes.

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
from tests.bench import machine, measure, plot, report
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
            results = _measure(folder, options.runs)
    except (UnavailableError, LinkspanError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 3
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(report.lives_table(results), report.programs_table(results))
    os.makedirs(options.into, exist_ok=True)
    with open(f"{options.into}/latest.md", "w", encoding="utf-8") as file:
        file.write(report.markdown(results, "latest.svg"))
    plot.draw(results, f"{options.into}/latest.svg")
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("-n", dest="runs", type=int, default=40, metavar="RUNS", help="rounds (default: 40)")
    parser.add_argument("--into", default="docs/benchmarks", metavar="DIR", help="where the page and the plot go")
    options = parser.parse_args(argv)
    if options.runs < 2:
        parser.error("a median takes two runs at least")
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
