"""``linkspan explain CONTAINER`` and ``--image``: one container's chain, running or to come."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from linkspan.check.eyes import Ledger, live
from linkspan.check.scene import Scene
from linkspan.cli import output, picture
from linkspan.errors import HostError
from linkspan.explain import account as accounts
from linkspan.explain import dry_run, image_config, page, subject, verdict
from linkspan.explain import svg as drawn
from linkspan.explain.account import Account
from linkspan.explain.chain import Box, Chain
from linkspan.explain.dry_run import DryRun, Wanted
from linkspan.explain.winner import Candidate
from linkspan.facts import snapshot
from linkspan.facts.host import Search
from linkspan.plan.policy import policy_of
from linkspan.plan.wording import plural

_SIGNS = {
    "holds": ("✓", "green"), "broken": ("✗", "bold red"), "doubtful": ("!", "yellow"), "not reached": ("·", "dim"),
    "unknown": ("?", "cyan"),
}  # fmt: skip


class Told(NamedTuple):
    """A chain, the document for programs, and what is printed for people."""

    chain: Chain
    document: dict[str, Any]
    parts: list[RenderableType]


def show(told: Told, *, as_json: bool, html: str, svg: str) -> None:
    """Print it, and draw it where that is wanted."""
    if html:
        picture.write(html, page.render(told.chain))
    if svg:
        picture.write(svg, drawn.render(told.chain))
    if as_json:
        output.show_json(told.document)
    else:
        output.show(*told.parts)


def of_container(name: str, root: str) -> Told:
    """What is told of a container.

    A bundle that nobody has started is followed as a dry run. Raises HostError where there is no such container.
    """
    if os.geteuid():
        output.warn("not root, so most of a container cannot be looked at", hint="run it with sudo")
    scene = Scene(live(root, Ledger()))
    found = subject.find(scene, name)
    account = accounts.account(scene, found)
    if account is None:
        if not found.bundle or found.pid or found.id:
            raise HostError(f"{found.title} does not run", hint="start it, or explain its bundle", subject=name)
        return of_request(found.bundle, Wanted(), root, "")
    chain = verdict.chain(account)
    document = {"chain": msgspec.to_builtins(chain), "account": msgspec.to_builtins(account)}
    return Told(chain, document, list(_account(chain, account)))


def of_request(image: str, wanted: Wanted, root: str, facts_file: str) -> Told:
    """What a command line would come to."""
    facts = snapshot.load(facts_file) if facts_file else snapshot.collect(Search(root=root))
    scene = Scene(live(root, Ledger()))
    made = dry_run.dry_run(image_config.read(image), wanted, facts, policy_of(scene.toolkit))
    chain = dry_run.chain(made, facts)
    document = {"chain": msgspec.to_builtins(chain), "dry_run": msgspec.to_builtins(made)}
    return Told(chain, document, [_chain(chain), *_dry_run(made), _verdict(chain)])


def exit_code(chain: Chain) -> int:
    """0 where it works, or would; 1 where it does not."""
    return output.OK if chain.works else output.FAILED


def _account(chain: Chain, account: Account) -> Iterator[RenderableType]:
    yield _chain(chain)
    yield _heading("Carried across")
    yield _mounts(account)
    yield _heading("The loader's order")
    yield _libraries(account)
    yield _heading(f"Devices, by {account.rules_source}")
    yield _devices(account)
    yield _verdict(chain)


def _heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _chain(chain: Chain) -> Table:
    grid = Table.grid(padding=(0, 2))
    for fold in (False, False, True):
        grid.add_column(no_wrap=not fold, overflow="fold")
    for box in chain.boxes:
        sign, style = _SIGNS[box.state]
        grid.add_row(Text(sign, style=style), Text(_title(box), style="bold"), Text("\n").join(_words(box)))
    return grid


def _title(box: Box) -> str:
    return f"{box.title} {box.version}".rstrip()


def _words(box: Box) -> Iterator[Text]:
    if box.path:
        yield Text(box.path)
    if box.detail and box.state != "not reached":
        yield Text(box.detail, style="red" if box.state == "broken" else "")
    if box.owner:
        yield Text(box.owner, style="dim")
    if box.remedy and box.state in ("broken", "doubtful"):
        yield Text.assemble(("do: ", "bold"), box.remedy.text)
        yield from (Text(f"$ {command}", style="cyan") for command in box.remedy.commands)


def _mounts(account: Account) -> RenderableType:
    if not account.mounts:
        return Text("  nothing of the driver's is mounted in it", style="dim")
    rows = [
        (one.path, "" if one.path == one.host_path else one.host_path, _came(one.declared)) for one in account.mounts
    ]
    return output.table(("in the container", "on the host, if elsewhere", "by"), rows)


def _came(declared: bool) -> str:
    return "config.json" if declared else "a hook"


def _libraries(account: Account) -> RenderableType:
    rows = [_row(name, one) for name, found in account.libraries.items() for one in found]
    if not rows:
        return Text("  it finds neither libcuda.so.1 nor libnvidia-ml.so.1", style="dim")
    return output.table(("library", "file", "whose", "how it is come by", "outcome"), rows)


def _row(name: str, one: Candidate) -> Sequence[str]:
    whose = one.owner if one.kind == "driver" else f"{one.owner}, {one.kind}"
    return name, one.real, whose, one.by, f"{one.outcome}{': ' * bool(one.why)}{one.why}"


def _devices(account: Account) -> RenderableType:
    words = {True: "may be opened", False: "may not be opened", None: "not known"}
    rows = [(one.path, f"{one.major}:{one.minor}", words[one.allowed]) for one in account.nodes]
    rows += [(one.path, f"{one.major}:{one.minor}", "no node, but may be opened") for one in account.others]
    return output.table(("node", "number", "by its rules"), rows) if rows else Text("  none", style="dim")


def _dry_run(made: DryRun) -> Iterator[RenderableType]:
    devices = [(node.path, f"{node.major}:{node.minor}") for node in made.injection.devices]
    if devices:
        yield _heading("It would get")
        yield output.table(("node", "number"), devices)
        yield Text(f"and {plural(len(made.injection.mounts), 'file')} of the driver; --json lists them", style="dim")


def _verdict(chain: Chain) -> Text:
    style = {True: "bold green", False: "bold red", None: "bold yellow"}[chain.works]
    return Text(f"\n{chain.verdict}", style=style)
