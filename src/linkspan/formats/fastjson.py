"""JSON at the speed that a container start needs.

``import json`` costs 5 ms, most of it ``re``; the C scanner and encoder underneath cost 0.2. They are private to
CPython (the same on 3.11 to 3.14), so whatever surprises us here falls back to the public module, whose message is also
better.
"""

import _json

from linkspan.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


class _Context:
    """What ``_json.make_scanner`` reads its settings from; strict refuses raw control characters in strings."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse_constant)
    memo: "dict[str, str]" = {}


_scan = _json.make_scanner(_Context())  # type: ignore[arg-type]  # typeshed takes the context for the scanner
_BLANK = " \t\n\r"


def loads(text: str) -> "Any":
    """The value of a JSON document.

    Raises FormatError, with line and column where the public module can tell them, on anything else. Nesting is
    bounded by the interpreter's recursion limit, well above what an OCI bundle needs.
    """
    stripped = text.strip(_BLANK)
    try:
        value, end = _scan(stripped, 0)
    except RecursionError:
        raise FormatError("the JSON is nested too deeply") from None
    except (StopIteration, ValueError, SystemError):
        # SystemError: on a string without an end the scanner looks for json.decoder in sys.modules (CPython 3.11).
        return _loads_slowly(text)
    return value if end == len(stripped) else _loads_slowly(text)


def _loads_slowly(text: str) -> "Any":
    import json

    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise FormatError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise FormatError(f"not JSON: {error}") from None


def _refuse(value: object) -> str:
    raise TypeError(f"cannot be written as JSON: {type(value).__name__}")


# No cycle check; default; strings as ASCII, so that a lone surrogate of the input survives; no indent, separators, no
# sorting, no skipped keys; no NaN.
_encode = _json.make_encoder(None, _refuse, _json.encode_basestring_ascii, None, ":", ",", False, False, False)


def dumps(value: "Any") -> str:
    """The value as compact JSON in ASCII, keys in their own order. FormatError on a number that JSON does not have."""
    try:
        return "".join(_encode(value, 0))
    except ValueError:
        raise FormatError("a number is too large for JSON") from None
