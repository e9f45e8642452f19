"""Advice on an image at a terminal."""

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from linkspan.cli import image_words as words
from linkspan.cli import output
from linkspan.cli.fields import Field, Fields, heading
from linkspan.explain import shown
from linkspan.image.advice import Advice
from linkspan.image.amounts import size
from linkspan.image.owners import OWNERS, Share
from linkspan.plan.wording import plural

_COPIED = ("begin with", "set", "install")


def lines(advice: Advice) -> Iterator[RenderableType]:
    """All of it."""
    yield Text(f"image  {shown.line(advice.source)}  {size(advice.bytes)} in {plural(len(advice.layers), 'layer')}")
    if holds := words.holds(advice.parts):
        yield heading(f"holds  {shown.line(holds, shown.VALUE)}")
    yield Text("\nBase", style="bold")
    yield _indented(words.enough(advice.base))
    yield _pairs(words.base_lines(advice.base))
    yield Text("\nCould be left out", style="bold")
    yield from _savings(advice)
    yield Text("\nDriver", style="bold")
    yield _pairs(words.driver_lines(advice))
    yield Text("\nLayers", style="bold")
    yield _layers(advice.layers)


def _indented(text: str) -> RenderableType:
    return Padding(Text(shown.line(text, shown.VALUE)), (0, 0, 0, 2))


def _pairs(rows: Iterable[tuple[str, str]]) -> RenderableType:
    return Fields([Field(label, shown.line(text, shown.VALUE), exact=label in _COPIED) for label, text in rows])


def _savings(advice: Advice) -> Iterator[RenderableType]:
    if not advice.savings:
        yield _indented("nothing that can be told from the files")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for one in advice.savings:
        head = (one.title, "bold"), f", {words.place(one.files, one.layers)}"
        example = f"\n{shown.line(one.paths[0])}" if one.paths else ""
        grid.add_row(size(one.bytes), Text.assemble(*head, (example, "dim"), f"\n{one.how}"))
    if advice.savings:
        yield Padding(grid, (0, 0, 0, 2))


def _layers(layers: Iterable[Share]) -> RenderableType:
    rows = [(str(one.number), size(one.total), _whose(one), shown.line(one.command, 120)) for one in layers]
    return output.table(("layer", "bytes", "whose", "made by"), rows)


def _whose(share: Share) -> str:
    largest = sorted(share.bytes.items(), key=lambda pair: -pair[1])[:3]
    return "; ".join(f"{OWNERS[key]} {size(number)}" for key, number in largest)
