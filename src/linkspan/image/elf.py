"""What rules want of an ELF file: its header, its dynamic section, symbol versions, and GPU code in it.

Pure on bytes through ``pread``, as ``formats.elf``, which it builds on; that module stays small, since a starting
container waits for it. The symbol versions are laid out as in the LSB's chapter on symbol versioning.
"""

from collections.abc import Callable, Iterator, Sequence
from struct import unpack_from

from msgspec.structs import replace

from linkspan.errors import FormatError
from linkspan.formats.elf import MAX_NEEDED, File
from linkspan.image import fatbin
from linkspan.image.model import Elf

Pread = Callable[[int, int], bytes]

MAX_VERSIONS = 512
"""Symbol versions that a file takes from one library; of glibc there are some 50."""
_PT_LOAD, _PT_INTERP = 1, 3
_SHT_NOBITS = 8
_DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_RPATH, _DT_RUNPATH, _DT_VERNEED = 1, 5, 14, 15, 29, 0x6FFFFFFE
_RELOCATABLE = b"__nv_relfatbin\0"
"""The section of GPU code that was kept for linking; the driver never loads it."""


def read(pread: Pread, size: int, fatbins: Callable[[], Sequence[int]]) -> Elf | None:
    """What an ELF file of ``size`` bytes says; None where it only starts like one.

    A file whose header can be read and whose dynamic section cannot (debug files have the headers without the data)
    says its machine and bits only. ``fatbins`` tells where ``fatbin.Finder`` found fat binaries.
    """
    try:
        file = File(pread, size)
    except FormatError:
        return None
    places = fatbins()
    architectures = fatbin.architectures(pread, places, _loaded(file, size)) if places else ()
    found = Elf(machine=file.machine, bits=file.bits, architectures=architectures)
    try:
        return _with_dynamic(file, replace(found, interpreter=_interpreter(file)))
    except FormatError:
        return found


def _interpreter(file: File) -> str:
    """The program interpreter; of a file with debugging symbols alone, the segment's bytes are something else."""
    found = next((_name(file, offset) for kind, offset, _, _ in file.segments() if kind == _PT_INTERP), "")
    return found if found.startswith("/") else ""


def _with_dynamic(file: File, found: Elf) -> Elf:
    entries = file.dynamic()
    values = dict(reversed(entries))
    if _DT_STRTAB not in values:
        return found
    start = file.offset_of(values[_DT_STRTAB])
    needs = [start + value for tag, value in entries if tag == _DT_NEEDED][:MAX_NEEDED]
    return replace(
        found,
        soname=_name(file, start + values[_DT_SONAME]) if _DT_SONAME in values else "",
        needs=tuple(_name(file, at) for at in needs),
        runpath=_name(file, start + values[_DT_RUNPATH]) if _DT_RUNPATH in values else "",
        rpath=_name(file, start + values[_DT_RPATH]) if _DT_RPATH in values else "",
        versions=dict(_versions(file, file.offset_of(values[_DT_VERNEED]), start)) if _DT_VERNEED in values else {},
    )


def _versions(file: File, at: int, names: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    for _ in range(MAX_NEEDED):
        _, count, name, first, step = unpack_from(file.order + "HHIII", file.read(at, 16))
        yield _name(file, names + name), tuple(_auxiliaries(file, at + first, min(count, MAX_VERSIONS), names))
        if not step:
            return
        at += step


def _auxiliaries(file: File, at: int, count: int, names: int) -> Iterator[str]:
    for _ in range(count):
        _, _, _, name, step = unpack_from(file.order + "IHHII", file.read(at, 16))
        yield _name(file, names + name)
        if not step:
            return
        at += step


def _name(file: File, at: int) -> str:
    # Findings are JSON, which has no place for bytes that are no text.
    return file.string(at).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _loaded(file: File, size: int) -> list[tuple[int, int]]:
    """What of a file is loaded, as (offset, length), less code for linking; all of it where that cannot be told."""
    try:
        parts = [(at, min(length, size - at)) for kind, at, _, length in file.segments() if kind == _PT_LOAD]
        left_out = list(_relocatable(file))
    except FormatError:
        return [(0, size)]
    return [piece for part in parts or [(0, size)] for piece in _without(part, left_out)]


def _relocatable(file: File) -> Iterator[tuple[int, int]]:
    sections = file.sections()
    if file.name_section >= len(sections):
        return
    names = file.read(*sections[file.name_section][2:4])
    for name, kind, offset, length, _ in sections:
        if kind != _SHT_NOBITS and names.startswith(_RELOCATABLE, name):
            yield offset, length


def _without(part: tuple[int, int], holes: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    at, end = part[0], part[0] + part[1]
    for hole, length in sorted(holes):
        if at < hole + length and hole < end:
            if at < hole:
                yield at, hole - at
            at = min(hole + length, end)
    if at < end:
        yield at, end - at
