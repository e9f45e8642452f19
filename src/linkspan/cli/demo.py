"""``linkspan demo``: the guide's four containers, and what each of them got to see."""

import errno
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
from linkspan.demo.scenes import ENXIO, REFUSED, Library, Node, Result
from linkspan.demo.stage import Stage, stage
from linkspan.plan.wording import plural


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
        output.show(Text("\n").join(_closing(results, seconds)))
    if any(result.problems for result in results):
        raise typer.Exit(output.FAILED)


def _shown(here: Stage, *, as_json: bool) -> Iterator[Result]:
    """The results as they come, each printed when it is there."""
    console, done = output.stdout(), list[Result]()
    console.width = console.width if console.is_terminal else 80  # the headings' lines are as long as that
    if not as_json:
        console.print(_opening(here))
    for result in play(here):
        done.append(result)
        if not as_json:
            _show(console, here, done)
        yield result


def _opening(here: Stage) -> Text:
    gpus = here.facts.gpus
    names = ", ".join(dict.fromkeys(gpu.name for gpu in gpus))
    kind = "A simulated host" if here.simulated else "This host"
    return Text.assemble(
        (f"{kind}: {len(gpus)} × {names}, driver {here.facts.driver.version}\n", "bold"),
        f"Containers are started by linkspan-runtime and {os.path.basename(here.low_level)}, ",
        "from a root filesystem that holds a C library and nothing of NVIDIA's.\n",
    )


def _show(console: Console, here: Stage, done: Sequence[Result]) -> None:
    result = done[-1]
    console.print(Rule(Text(f"{len(done)}. {result.scene.title}", style="bold"), align="left"))
    console.print(Text(f"$ {result.scene.command}", style="cyan"))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, text in _rows(here, result, done[0]):
        facts.add_row(name, text)
    console.print(facts)
    console.print(Text("nvidia-smi -L, inside:", style="dim"))
    console.print(Text("\n".join(f"  {line}" for line in result.seen.smi), overflow="fold"))
    for problem in result.problems:
        console.print(Text(f"✗ {problem}", style="bold red"))
    console.print()


def _rows(here: Stage, result: Result, first: Result) -> Iterator[tuple[str, Text]]:
    injected = result.injected
    yield "request", Text(" ".join(result.scene.env))
    yield "devices", Text(_joined(injected.devices))
    yield "mounts", Text(_mounts(result, first))
    if result is first or (injected.links, injected.files) != (first.injected.links, first.injected.files):
        yield "links", Text(_examples(injected.links))
        yield "written", Text(" ".join(injected.files))
    yield "hooks", Text(str(injected.hooks) if injected.hooks else "none: the root filesystem was prepared beforehand")
    yield "libcuda.so.1", Text(_origin(here, result.seen.library))
    yield from _isolation(result.seen.nodes)


def _mounts(result: Result, first: Result) -> str:
    """How many files, and which of those of the first container are not among them."""
    have = {mount.destination for mount in result.injected.mounts}
    spared = [mount.destination for mount in first.injected.mounts if mount.destination not in have]
    text = f"{plural(len(have), 'file')} of the host's driver, read-only"
    if not spared:
        return text
    libraries = sorted({os.path.basename(path).partition(".so")[0] for path in spared if ".so" in path})
    return f"{text}; {len(spared)} fewer than in container 1: no {', '.join(libraries[:3])}, …"


def _examples(links: dict[str, str]) -> str:
    if not links:
        return "none"
    path, target = next(((path, to) for path, to in links.items() if "libcuda.so" in path), next(iter(links.items())))
    return f"{len(links)}, such as {os.path.basename(path)} → {target}"


def _origin(here: Stage, library: Library) -> str:
    """Where the container's loader found the library, and which file of the host that is."""
    if not library.host_path:
        return library.path or library.error
    host_path = library.host_path.removeprefix(here.facts.root.rstrip("/"))
    which = "file of that path" if host_path == library.path else host_path
    return f"{library.path}\nthe host's own {which}, inode {library.inode}"


def _isolation(nodes: Sequence[Node]) -> Iterator[tuple[str, Text]]:
    """How opening GPU nodes ended; one that was not given is one that the container made for itself."""
    given = [node for node in nodes if node.given]
    others = [node for node in nodes if not node.given]
    if given:
        yield "given", _verdict(given, "", good=not any(node.errno in REFUSED for node in given))
    if others:
        yield "not given", _verdict(others, ", made by hand", good=all(node.errno in REFUSED for node in others))


def _verdict(nodes: Sequence[Node], made: str, *, good: bool) -> Text:
    answers = ", ".join(dict.fromkeys(_answer(node.errno) for node in nodes))
    names = _joined([node.path for node in nodes])
    return Text.assemble(f"{names}{made}: ", (answers, "green" if good else "bold red"))


def _answer(number: int) -> str:
    if number == ENXIO:
        return "may be opened (ENXIO: no hardware behind it)"
    if number in REFUSED:
        return f"refused ({errno.errorcode[number]})"
    return f"fails ({errno.errorcode.get(number, number)})" if number else "opens"


def _joined(paths: Sequence[str]) -> str:
    """Device nodes, with their folder only once."""
    return "/dev/" + " ".join(path.removeprefix("/dev/") for path in paths) if paths else "none"


def _closing(results: Sequence[Result], seconds: float) -> Iterator[Text]:
    wrong = sum(bool(result.problems) for result in results)
    if wrong:
        yield Text(f"{wrong} of {len(results)} containers are not as they have to be.", style="bold red")
    else:
        yield Text("Every container saw the GPUs it asked for, and no other.", style="bold green")
    yield Text(f"{len(results)} containers in {seconds:.1f} s. Nothing was left behind.", style="dim")
