"""``linkspan demo``: the guide's four containers, and what each of them got to see."""

import os
import time
from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from linkspan.cli import output
from linkspan.demo.play import play
from linkspan.demo.scenes import REFUSED, Node, Result
from linkspan.demo.stage import Stage, stage


def demo(
    driver_root: Annotated[str, typer.Option(metavar="DIR", help="The root below which the driver is.")] = "/",
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Simulate the GPUs even where there are real ones.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Start the guide's four containers, on real or simulated GPUs, and look at each from inside."""
    started = time.monotonic()
    with stage(driver_root, simulate=simulate) as here:
        results = list(_shown(here, as_json=as_json))
    seconds = time.monotonic() - started
    if as_json:
        output.show_json({"simulated": here.simulated, "seconds": seconds, "containers": msgspec.to_builtins(results)})
    else:
        output.show(*_closing(results, seconds))
    if any(result.problems for result in results):
        raise typer.Exit(output.FAILED)


def _shown(here: Stage, *, as_json: bool) -> Iterator[Result]:
    """The results as they come, each printed when it is there."""
    console, done = output.stdout(), []
    if not as_json:
        console.print(_opening(here))
    for result in play(here):
        done.append(result)
        if not as_json:
            _show(console, len(done), result, done[0])
        yield result


def _opening(here: Stage) -> Text:
    gpus = here.facts.gpus
    names = ", ".join(dict.fromkeys(gpu.name for gpu in gpus))
    kind = "No NVIDIA GPU is used: a simulated host" if here.simulated else "This host"
    return Text.assemble(
        (f"{kind} with {len(gpus)} × {names}, driver {here.facts.driver.version}.\n", "bold"),
        f"Containers are started by linkspan-runtime and {os.path.basename(here.low_level)}, ",
        "from a root filesystem that holds a C library and nothing of NVIDIA's.\n",
    )


def _show(console: Console, number: int, result: Result, first: Result) -> None:
    scene = result.scene
    console.print(Rule(Text(f"{number}. {scene.title}", style="bold"), align="left", characters="─"))
    console.print(Text(f"$ {scene.command}", style="cyan"), soft_wrap=False)
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, text in _rows(result, first):
        facts.add_row(name, text)
    console.print(facts)
    console.print(Text("nvidia-smi -L, inside", style="dim"))
    console.print(Text("\n".join(f"  {line}" for line in result.seen.smi), overflow="fold"))
    for problem in result.problems:
        console.print(Text(f"✗ {problem}", style="bold red"))
    console.print()


def _rows(result: Result, first: Result) -> Iterator[tuple[str, Text]]:
    injected, library = result.injected, result.seen.library
    yield "request", Text(" ".join(result.scene.env))
    yield "devices", Text(_joined(injected.devices, "/dev/"))
    yield "mounts", Text(_mounts(result, first))
    yield "links", Text(_examples(injected.links))
    if injected.files:
        yield "written", Text(" ".join(injected.files))
    yield "hooks", Text(str(injected.hooks) if injected.hooks else "none: the root filesystem was prepared beforehand")
    yield "libcuda.so.1", Text.assemble("is ", library.path or library.error, _origin(library.host_path))
    yield from _isolation(result.seen.nodes)


def _mounts(result: Result, first: Result) -> str:
    """How many files, and which of those of the first container are not among them."""
    have = {mount.destination for mount in result.injected.mounts}
    spared = [mount.destination for mount in first.injected.mounts if mount.destination not in have]
    text = f"{len(have)} files of the host's driver, read-only"
    if not spared:
        return text
    names = sorted({os.path.basename(path).partition(".so")[0] for path in spared})
    return f"{text}; {len(spared)} fewer than in container 1, without {', '.join(names[:3])}, …"


def _examples(links: dict[str, str]) -> str:
    if not links:
        return "none"
    path, target = next(((path, to) for path, to in links.items() if "libcuda.so" in path), next(iter(links.items())))
    return f"{len(links)}, such as {os.path.basename(path)} → {target}"


def _origin(host_path: str) -> Text:
    return Text(f",\nthe very file {host_path} of the host") if host_path else Text("")


def _isolation(nodes: Sequence[Node]) -> Iterator[tuple[str, Text]]:
    """Which GPU nodes can be opened; one that was not given is one that the container made for itself."""
    given = [node for node in nodes if node.given]
    others = [node for node in nodes if not node.given]
    yield "given", _verdict(given, good=not any(node.errno in REFUSED for node in given))
    if others:
        yield "not given", _verdict(others, good=all(node.errno in REFUSED for node in others))


def _verdict(nodes: Sequence[Node], *, good: bool) -> Text:
    answers = dict.fromkeys("opens" if not node.errno else os.strerror(node.errno).lower() for node in nodes)
    made = "" if nodes and nodes[0].given else ", made by hand inside"
    style = "green" if good else "bold red"
    names = _joined([node.path for node in nodes], "/dev/")
    return Text.assemble(f"{names}{made}: open says ", ("; ".join(answers), style))


def _joined(paths: Sequence[str], prefix: str) -> str:
    """Paths of one folder, with its name only once."""
    names = [path.removeprefix(prefix) for path in paths]
    return prefix + " ".join(names) if names else "none"


def _closing(results: Sequence[Result], seconds: float) -> Iterator[Text]:
    wrong = sum(bool(result.problems) for result in results)
    if wrong:
        yield Text(f"{wrong} of {len(results)} containers are not as they have to be.", style="bold red")
    else:
        yield Text("Every container saw the GPUs it asked for, and no other.", style="bold green")
    yield Text(f"{len(results)} containers in {seconds:.1f} s. Nothing was left behind.", style="dim")
