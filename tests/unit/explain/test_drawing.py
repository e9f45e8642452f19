import io
import re

import pytest
from rich.console import Console

from linkspan.check.model import Report
from linkspan.explain import drawing
from linkspan.explain.broken_lines import columns
from linkspan.explain.chain import Chain
from tests.unit.explain import chains


def drawn(chain: Chain | Report, width: int = 80, plain: bool = False, **options: object) -> str:
    console = Console(file=io.StringIO(), width=width, **options)  # type: ignore[arg-type]
    render = drawing.render_report if isinstance(chain, Report) else drawing.render
    console.print(render(chain, ascii=plain))  # type: ignore[arg-type]
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_line_goes_from_mark_to_mark_through_every_frame():
    lines = drawn(chains.HOLDS).splitlines()
    rail = [line[2:3] for line in lines]
    assert "".join(rail).strip("─ ").replace("┃", "") == "✓" * 7
    assert [line for line in lines if line[2:3] == " "] == lines[-3:-1]  # only below the last mark there is none


def test_the_break_is_between_the_broken_box_and_the_one_before_it():
    lines = drawn(chains.BROKEN).splitlines()
    at = next(number for number, line in enumerate(lines) if "the chain breaks here" in line)
    assert lines[at][2] == "╳"
    assert lines[at + 2].startswith("│ ✗ libcuda.so.1 535.183.01 ")
    assert lines[at + 2].endswith(" broken │")
    assert sum("broken" in line for line in lines) == 1


@pytest.mark.parametrize("width", [30, 80, 200])
@pytest.mark.parametrize("chain", [chains.HOLDS, chains.BROKEN, chains.HOSTILE], ids=["holds", "broken", "hostile"])
def test_every_line_of_a_frame_is_as_wide_as_the_next(chain, width):
    framed = [line for line in drawn(chain, width).splitlines() if line[0] in "╭│╰"]
    assert {columns(line) for line in framed} == {min(width, drawing.WIDEST)}


@pytest.mark.parametrize("chain", [chains.BROKEN, chains.HOSTILE], ids=["broken", "hostile"])
def test_in_ascii_there_is_nothing_else(chain):
    text = drawn(chain, plain=True)
    assert text.isascii()
    assert {len(line) for line in text.splitlines() if line[0] in "+|"} == {80}


def test_colour_is_left_out_where_nobody_wants_it(monkeypatch):
    assert "\x1b[" in drawn(chains.BROKEN, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", drawn(chains.BROKEN, force_terminal=True, color_system="standard"))


def test_no_name_reaches_the_terminal_with_an_escape_sequence():
    text = drawn(chains.HOSTILE)
    assert "\x1b" not in text
    assert r"\x1b[31mred" in text
    assert "[bold]" not in text


def test_markup_of_rich_in_a_name_is_mere_text():
    chain = Chain(
        subject="x",
        verdict="x",
        works=None,
        boxes=(chains.HOLDS.boxes[0].__class__(key="a", title="[red]a[/]", side="host", state="holds"),),
    )
    assert "[red]a[/]" in drawn(chain)


def test_no_boxes_are_no_picture():
    assert drawn(Chain(subject="x", verdict="x", works=None, boxes=())) == ""


def test_a_report_is_drawn_from_the_hardware_on_with_the_break_after_the_broken_link():
    lines = drawn(chains.REPORT).splitlines()
    found = [next(number for number, line in enumerate(lines) if text in line) for text in (
        "✓ PCI device", "✗ version match", "driver and kernel module are of different versions",
        "the chain breaks here", "– device nodes", "! bridge: CDI spec or runtime", "– image",
    )]  # fmt: skip
    assert found == sorted(found)
