"""Device programs of cgroups of version 2, run here: what each would say to an open of a device.

The kernel gives a program the kind of access and the numbers of the device (struct bpf_cgroup_dev_ctx of linux/bpf.h),
and what it leaves in register 0 is the answer. The programs of runtimes only load, compare, jump and end, so a program
with anything else in it is not judged.
"""

from struct import iter_unpack

from linkspan.errors import FormatError

TYPES = {"b": 1, "c": 2}
ACCESS = {"m": 1, "r": 2, "w": 4}
MOST_STEPS = 100_000

_LOAD_WORD, _EXIT, _WIDE_LOAD = 0x61, 0x95, 0x18
_ALU, _ALU64, _JUMP, _JUMP32 = 0x04, 0x07, 0x05, 0x06
_CONTEXT = 1
_WORD = (1 << 32) - 1
_LONG = (1 << 64) - 1


def allows(program: bytes, type_: str, major: int, minor: int, access: str) -> bool:
    """Whether a program lets a device be opened for these letters of ``rwm``.

    Raises FormatError where the program has an instruction that device programs of runtimes do not have.
    """
    wanted = sum(ACCESS[letter] for letter in access)
    return bool(_run(list(iter_unpack("<BBhi", program)), (wanted << 16 | TYPES[type_], major, minor)))


def _run(code: "list[tuple[int, int, int, int]]", context: "tuple[int, int, int]") -> int:
    registers = [0] * 11
    place = 0
    for _ in range(MOST_STEPS):
        if not 0 <= place < len(code):
            raise FormatError("a device program jumps out of itself")
        operation, both, offset, number = code[place]
        place += 1
        if operation == _EXIT:
            return registers[0] & _WORD
        if operation == _LOAD_WORD and both >> 4 == _CONTEXT and offset in (0, 4, 8):
            registers[both & 15] = context[offset // 4]
        elif operation & 7 in (_ALU, _ALU64):
            registers[both & 15] = _computed(
                operation, registers[both & 15], _value(operation, registers, both, number)
            )
        elif operation & 7 in (_JUMP, _JUMP32):
            if _jumps(operation, registers[both & 15], _value(operation, registers, both, number)):
                place += offset
        elif operation == _WIDE_LOAD and place < len(code):
            registers[both & 15] = (number & _WORD) | (code[place][3] & _WORD) << 32
            place += 1
        else:
            raise FormatError(f"a device program has the instruction {operation:#04x}")
    raise FormatError("a device program does not end")


def _value(operation: int, registers: "list[int]", both: int, number: int) -> int:
    """The second operand: a register where bit 3 is set, else the number, with its sign."""
    return registers[both >> 4] if operation & 8 else number & _LONG


def _computed(operation: int, old: int, value: int) -> int:
    width = _WORD if operation & 7 == _ALU else _LONG
    old, value = old & width, value & width
    shift = value & (31 if width == _WORD else 63)
    results = {
        0x00: old + value, 0x10: old - value, 0x40: old | value, 0x50: old & value, 0x60: old << shift,
        0x70: old >> shift, 0xA0: old ^ value, 0xB0: value,
    }  # fmt: skip
    result = results.get(operation & 0xF0)
    if result is None:
        raise FormatError(f"a device program has the instruction {operation:#04x}")
    return result & width


def _jumps(operation: int, left: int, right: int) -> bool:
    width = _WORD if operation & 7 == _JUMP32 else _LONG
    left, right = left & width, right & width
    results = {
        0x00: True, 0x10: left == right, 0x20: left > right, 0x30: left >= right, 0x40: bool(left & right),
        0x50: left != right, 0xA0: left < right, 0xB0: left <= right,
    }  # fmt: skip
    result = results.get(operation & 0xF0)
    if result is None:
        raise FormatError(f"a device program has the instruction {operation:#04x}")
    return result
