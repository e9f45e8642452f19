"""Whether a library has code for a GPU: machine code, PTX that the driver translates, or neither (CUDA's rules)."""

import re
from collections.abc import Iterable
from typing import Literal

Code = Literal["code", "PTX", "none"]

_NAME = re.compile(r"(sm|compute)_(\d{1,3})(\d)([af]?)")


def code_for(architectures: Iterable[str], gpu: tuple[int, int]) -> Code:
    """What of these architectures (``sm_90``, ``compute_90``) a GPU of this compute capability runs.

    Machine code runs on its major version from its minor version on, that of an ``a`` architecture on nothing else; PTX
    is translated for every later GPU.
    """
    best: Code = "none"
    for kind, able, letter in filter(None, map(_parsed, architectures)):
        if kind == "sm" and _runs(able, letter, gpu):
            return "code"
        if kind == "compute" and (able == gpu if letter == "a" else _translates(able, letter, gpu)):
            best = "PTX"
    return best


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Architectures, each once: machine code from the oldest on, then PTX."""
    known = {name: parsed for name in names if (parsed := _parsed(name))}
    return tuple(sorted(known, key=lambda name: (known[name][0] != "sm", *known[name][1:])))


def is_ptx_only(architectures: Iterable[str]) -> bool:
    """True where there is PTX and no machine code."""
    kinds = {name.partition("_")[0] for name in architectures}
    return kinds == {"compute"}


def capability(text: str) -> tuple[int, int] | None:
    """``8.6`` as numbers; None where it is no compute capability."""
    found = re.fullmatch(r"(\d{1,2})\.(\d)", text)
    return (int(found[1]), int(found[2])) if found else None


def _parsed(name: str) -> tuple[str, tuple[int, int], str] | None:
    found = _NAME.fullmatch(name)
    return (found[1], (int(found[2]), int(found[3])), found[4]) if found else None


def _runs(able: tuple[int, int], letter: str, gpu: tuple[int, int]) -> bool:
    return able == gpu if letter == "a" else able[0] == gpu[0] and able[1] <= gpu[1]


def _translates(able: tuple[int, int], letter: str, gpu: tuple[int, int]) -> bool:
    return able <= gpu and (letter != "f" or able[0] == gpu[0])
