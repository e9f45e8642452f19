"""Labelled lines: prose is broken to the width, what is copied is not."""

import io

from rich.console import Console, Group

from linkspan.cli.fields import Field, Fields, heading, listed

LONG = "/usr/lib/x86_64-linux-gnu/" + "a" * 80 + "/libcuda.so.550.54.15"


def drawn(*rows: Field, width: int = 50) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(Group(heading("x" * 90), Fields(list(rows))), crop=False)
    return out.getvalue().splitlines()


def test_prose_is_broken_and_stays_in_its_column():
    _, first, second, *_ = drawn(Field("why", "one word after the other " * 4))
    assert first.startswith("  why  one word")
    assert second.startswith(" " * 7) and second[7] != " "
    assert len(first) <= 50


def test_a_path_or_a_command_is_never_broken():
    lines = drawn(*listed("files", [LONG, "/b"], exact=True), Field("fix", f"RUN rm {LONG}", exact=True))
    assert lines == ["x" * 90, f"  files  {LONG}", "         /b", f"  fix    RUN rm {LONG}"]


def test_a_word_in_prose_that_is_longer_than_the_line_is_left_whole():
    assert any(line.strip() == LONG for line in drawn(Field("cause", f"there is {LONG} in it")))
