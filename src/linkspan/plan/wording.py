"""How ids and text that others wrote appear in a sentence, on one line, escaped, and short; and what is said often."""

from collections.abc import Iterable, Sequence

_LONGEST = 80
_MOST = 16


def quoted(text: str) -> str:
    """The text between double quotes, everything but printable ASCII escaped, cut after 80 characters."""
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return '"' + ascii(shown)[1:-1].replace("\\u2026", "...").replace('"', '\\"') + '"'


def listed(items: Iterable[str], last: str = "and") -> str:
    """The items as one enumeration: ``a, b and c``."""
    words = list(items)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def ids(items: Sequence[str]) -> str:
    """All ids where there are few, else the first and the last of them."""
    return ", ".join(items) if len(items) <= _MOST else f"{items[0]}, {items[1]}, … {items[-1]} ({len(items)} in all)"


def plural(number: int, noun: str) -> str:
    """``1 GPU``, ``2 GPUs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def of_rights(message: str, uid: int) -> str:
    """What to do where the kernel refuses something to this user and would not refuse to root."""
    is_refused = message.lower().endswith(("permission denied", "operation not permitted"))
    return "run the same as root, with sudo" if is_refused and uid else ""
