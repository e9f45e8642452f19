"""Error texts as users posted them, with the address of the thread; only the words of the programs are quoted."""

import os
from typing import NamedTuple

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "errors")
_MARK = "=== "


class Sample(NamedTuple):
    """A posted text: the failure mode that it has to be known by first, and where it was seen."""

    expected: str
    address: str
    text: str


def read(name: str) -> list[Sample]:
    """The samples of a file: each begins with a line of the id and the address."""
    with open(os.path.join(_FOLDER, name), encoding="utf-8") as file:
        blocks = file.read().removeprefix(_MARK).split(f"\n{_MARK}")
    heads = [block.partition("\n") for block in blocks]
    return [Sample(*head.split(" "), text=text) for head, _, text in heads]
