"""The wire format of Protocol Buffers, as much of it as the CRI client needs: messages as mappings of field numbers."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Fields = Mapping[int, Any]
"""Number to value: a text, bytes, a number, another mapping, or a list of those for a repeated field."""

VARINT, BYTES = 0, 2


def encode(message: Fields) -> bytes:
    """The message's bytes."""
    parts = []
    for number, value in message.items():
        parts += [_field(number, one) for one in (value if isinstance(value, list) else [value])]
    return b"".join(parts)


def decode(data: bytes) -> dict[int, list[Any]]:
    """Field numbers to their values, in order: numbers, and bytes for all that has a length."""
    found: dict[int, list[Any]] = defaultdict(list)
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        value, at = _read_varint(data, at)
        if key & 7 == BYTES:
            value, at = data[at : at + value], at + value
        found[key >> 3].append(value)
    return found


def _field(number: int, value: Any) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | VARINT) + _varint(value)
    if not isinstance(value, bytes):
        value = value.encode() if isinstance(value, str) else encode(value)
    return _varint(number << 3 | BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | data[at] << shift, at + 1
