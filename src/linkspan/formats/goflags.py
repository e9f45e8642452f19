"""Flags as Go programs take them: one dash or two, a value behind ``=`` or in the next word, switches without one.

What a program knows is a mapping of names to what its usage calls the value: nothing for a switch, ``DIR...`` for what
may be repeated, or hold several values with commas between them.
"""

from linkspan.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}
"""What the value of a switch may be (Go, strconv.ParseBool)."""


def usage(known: "Mapping[str, str]") -> str:
    """How these flags are spelled, on one line."""
    parts = []
    for name, value in known.items():
        is_list = value.endswith("...")
        words = f"--{name} {value.removesuffix('...')}".rstrip()
        parts.append(f"[{words}]" + "..." * is_list)
    return " ".join(parts)


def parse(
    arguments: "Sequence[str]", known: "Mapping[str, str]", *, until_word: bool = False
) -> "tuple[dict[str, Any], list[str]]":
    """The value of every known flag, and the words that are none; FormatError on a flag that is not known.

    A flag that is not given is empty. ``until_word`` ends at the first word that is no flag: it, and all behind it, are
    the words then.
    """
    values: dict[str, Any] = {name: _empty(kind) for name, kind in known.items()}
    words: list[str] = []
    left = iter(arguments)
    for argument in left:
        if argument == "--":
            words += left
        elif len(argument) > 1 and argument.startswith("-"):
            _take(values, known, argument, left)
        else:
            words.append(argument)
            words += left if until_word else ()
    return values, words


def split(argument: str) -> "tuple[str, str, str]":
    """A flag's name, the sign behind it if there is one, and the value behind that."""
    return argument.removeprefix("-").removeprefix("-").partition("=")


def _empty(kind: str) -> "Any":
    return [] if kind.endswith("...") else "" if kind else False


def _take(values: "dict[str, Any]", known: "Mapping[str, str]", argument: str, left: "Iterator[str]") -> None:
    name, has_value, value = split(argument)
    if name not in known:
        raise FormatError(f"the flag {argument.partition('=')[0]} is not known")
    kind = known[name]
    if not kind:
        values[name] = _boolean(name, value if has_value else "true")
        return
    given = value if has_value else next(left, None)
    if given is None:
        raise FormatError(f"the flag --{name} has no value")
    if kind.endswith("..."):
        values[name] += given.split(",")
    else:
        values[name] = given


def _boolean(name: str, text: str) -> bool:
    if text not in BOOLEANS:
        raise FormatError(f"the flag --{name} is {text!r}, neither true nor false")
    return BOOLEANS[text]
