"""The device programs of a cgroup of version 2: each is replaced by one that allows some devices more.

A program is given the kind of access and the device's number, and says yes or no; all programs of a cgroup, and of
those above it, have to say yes. So what is allowed goes in front of each program that is there, as a block that says
yes, or goes on to the old program. The kernel puts the new one in the place of the old in one step (BPF_F_REPLACE,
Linux 5.6), so there is no moment without any.
"""

import errno
import posix as os
from _struct import pack, unpack_from

from linkspan.kernel import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# linux/bpf.h
_CALL = {"x86_64": 321, "aarch64": 280}
_LOAD, _ATTACH, _BY_ID, _INFO, _QUERY = 5, 8, 13, 15, 16
_CGROUP_DEVICE_ATTACH, _CGROUP_DEVICE_PROGRAM = 6, 15
_MULTI, _REPLACE, _EFFECTIVE = 2, 4, 1
_ATTRIBUTES = 128
"""Bytes of the attributes of a call; what a kernel does not know has to be zero."""
_INFO_SIZE = 40
"""Up to and with xlated_prog_insns."""
MAX_PROGRAMS = 64
INSTRUCTION = 8

_TYPES = {"b": 1, "c": 2}
_ACCESS = {"m": 1, "r": 2, "w": 4}
_ALL_ACCESS = 7
# Instructions: code, registers (source in the upper half), offset, number.
_LOAD_WORD, _AND, _RIGHT, _SET, _COPY, _UNLESS_EQUAL, _EXIT = 0x61, 0x57, 0x77, 0xB7, 0xBF, 0x55, 0x95
_CONTEXT, _TYPE, _WANTED, _MAJOR, _MINOR, _SCRATCH = 1, 2, 3, 4, 5, 6


def allow_devices(cgroup: int, rules: "Sequence[dict[str, Any]]") -> None:
    """Allow devices (entries of ``linux.resources.devices``) in the cgroup that this is a descriptor of.

    Where no program confines it, nothing is to be done. OSError where the kernel refuses, and with EBUSY where only
    programs of cgroups above it do, which are not this container's to change.
    """
    flags, programs = _attached(cgroup)
    if not programs and _attached(cgroup, _EFFECTIVE)[1]:
        raise OSError(errno.EBUSY, "cgroups above it confine its devices")
    for number in programs:
        old = _call(_BY_ID, pack("<I", number))
        try:
            new = _load(allowing(rules) + _instructions(old))
            try:
                _replace(cgroup, new, old, flags)
            finally:
                os.close(new)
        finally:
            os.close(old)


def programs(cgroup: int) -> "list[bytes]":
    """The instructions of every device program that counts for the cgroup that this is a descriptor of.

    OSError where the kernel does not show them: it takes root's rights in the first user namespace.
    """
    found = []
    for number in _attached(cgroup, _EFFECTIVE)[1]:
        program = _call(_BY_ID, pack("<I", number))
        try:
            found.append(_instructions(program))
        finally:
            os.close(program)
    return found


def allowing(rules: "Sequence[dict[str, Any]]") -> bytes:
    """Instructions that end with yes for these devices, and are run through for all others."""
    begin = [
        _one(_LOAD_WORD, _TYPE, _CONTEXT, 0, 0),
        _one(_COPY, _WANTED, _TYPE, 0, 0),
        _one(_AND, _TYPE, 0, 0, 0xFFFF),
        _one(_RIGHT, _WANTED, 0, 0, 16),
        _one(_LOAD_WORD, _MAJOR, _CONTEXT, 4, 0),
        _one(_LOAD_WORD, _MINOR, _CONTEXT, 8, 0),
    ]
    return b"".join([*begin, *(_allow(rule) for rule in rules)])


def _allow(rule: "dict[str, Any]") -> bytes:
    """Yes, if type, access, major and minor fit; each test that fails jumps over the rest of this block."""
    tests = [(_TYPE, _TYPES[rule["type"]]), (_MAJOR, rule["major"]), (_MINOR, rule["minor"])]
    refused = _ALL_ACCESS & ~sum(_ACCESS[letter] for letter in set(rule["access"]))
    steps: list[tuple[int, int, int, int]] = []
    if refused:
        steps = [(_COPY, _SCRATCH, _WANTED, 0), (_AND, _SCRATCH, 0, refused), (_UNLESS_EQUAL, _SCRATCH, 0, 0)]
    steps += [(_UNLESS_EQUAL, register, 0, value) for register, value in tests]
    steps += [(_SET, 0, 0, 1), (_EXIT, 0, 0, 0)]
    end = len(steps)
    return b"".join(
        _one(code, to, source, end - place - 1 if code == _UNLESS_EQUAL else 0, value)
        for place, (code, to, source, value) in enumerate(steps)
    )


def _one(code: int, to: int, source: int, offset: int, value: int) -> bytes:
    return pack("<BBhi", code, source << 4 | to, offset, value)


def _attached(cgroup: int, which: int = 0) -> "tuple[int, tuple[int, ...]]":
    """How programs are attached, and their ids; with ``_EFFECTIVE`` those of the cgroups above it, too."""
    import ctypes

    ids = ctypes.create_string_buffer(4 * MAX_PROGRAMS)
    asked = pack("<IIIIQI", cgroup, _CGROUP_DEVICE_ATTACH, which, 0, ctypes.addressof(ids), MAX_PROGRAMS)
    answer = _exchange(_QUERY, asked)
    flags, count = unpack_from("<I", answer, 12)[0], unpack_from("<I", answer, 24)[0]
    return flags, unpack_from(f"<{count}I", ids.raw)


def _instructions(program: int) -> bytes:
    """The program as the kernel has it; none of the device programs of runtimes has anything that a copy would lose."""
    import ctypes

    length = unpack_from("<I", _info(program, 0, 0), 20)[0]
    buffer = ctypes.create_string_buffer(length)
    _info(program, length, ctypes.addressof(buffer))
    return buffer.raw


def _info(program: int, length: int, place: int) -> bytes:
    import ctypes

    info = ctypes.create_string_buffer(pack("<II8sIIQQ", 0, 0, b"", 0, length, 0, place), _INFO_SIZE)
    _exchange(_INFO, pack("<IIQ", program, _INFO_SIZE, ctypes.addressof(info)))
    return info.raw


def _load(instructions: bytes) -> int:
    import ctypes

    code = ctypes.create_string_buffer(instructions, len(instructions))
    license_ = ctypes.create_string_buffer(b"Apache-2.0")
    count = len(instructions) // INSTRUCTION
    head = pack("<IIQQ", _CGROUP_DEVICE_PROGRAM, count, ctypes.addressof(code), ctypes.addressof(license_))
    return _call(_LOAD, head)


def _replace(cgroup: int, new: int, old: int, flags: int) -> None:
    """One program in another's place. Where there can be only one, attaching is replacing."""
    how = flags | _REPLACE if flags & _MULTI else flags
    _call(_ATTACH, pack("<IIIII", cgroup, new, _CGROUP_DEVICE_ATTACH, how, old if flags & _MULTI else 0))


def _call(command: int, attributes: bytes) -> int:
    import ctypes

    return _bpf(command, ctypes.create_string_buffer(attributes, _ATTRIBUTES))


def _exchange(command: int, attributes: bytes) -> bytes:
    """A call that answers in its attributes."""
    import ctypes

    buffer = ctypes.create_string_buffer(attributes, _ATTRIBUTES)
    _bpf(command, buffer)
    return buffer.raw


def _bpf(command: int, buffer: "Any") -> int:
    import ctypes

    number = _CALL.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    return mounts.call("syscall", number, command, ctypes.addressof(buffer), _ATTRIBUTES)
