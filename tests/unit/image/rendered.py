"""Real images from those in memory: layers of archives, ELF files and texts, in every form that an image comes in.

What rules are tested with in memory is made of bytes here, so that it can be seen whether the reader finds all of it.
Files are filled up with zeros; those of hundreds of megabytes are made smaller, by the same measure in each image.
"""

import os
import tarfile
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from linkspan.formats import ldcache, rpmdb
from linkspan.image.databases import is_rpm
from linkspan.image.model import MISSING_LAYER, Config, Elf, Entry, Hidden, Image
from tests.linked_elf import fat_binary, linked
from tests.unit import rpm_writer
from tests.unit.image import writer as w

FORMS = ("layout", "layout.tar", "layout.tar.gz", "saved", "saved.tar", "rootfs")
PACKINGS = ("gzip", "zstd", "")
NOT_SHRUNK = 6_000_000
"""Bytes up to which every file has its own size: all rules that look at sizes look below it."""
_KINDS = {"link": tarfile.SYMTYPE, "char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE, "fifo": tarfile.FIFOTYPE}
_KINDS |= {"folder": tarfile.DIRTYPE}
_NVIDIA_MAJOR = 195
_RPM = dict(zip(rpmdb.NAMES, (rpm_writer.in_sqlite, rpm_writer.in_ndb, rpm_writer.in_berkeley), strict=True))


def scaled(image: Image) -> Image:
    """The image with files of a size that tests have time for; the larger of two stays the larger one."""
    entries = {path: replace(one, size=shrunk(one.size)) for path, one in image.entries.items()}
    return altered(image, entries=entries, hidden=tuple(replace(one, size=shrunk(one.size)) for one in image.hidden))


def altered(image: Image, **fields: object) -> Image:
    """The image with other words or files; what rules keep with an image is not taken along."""
    return Image(**{name: getattr(image, name) for name in image.__struct_fields__} | fields)


def shrunk(size: int) -> int:
    """What a file of this size is made of."""
    return size if size <= NOT_SHRUNK else NOT_SHRUNK + (size - NOT_SHRUNK) // 200


def forms_for(image: Image) -> list[str]:
    """The forms in which all that is in an image can be written."""
    return [form for form in FORMS if _fits(form, image)]


def _fits(form: str, image: Image) -> bool:
    if form == "rootfs":
        nodes = any(one.kind in ("char", "block") for one in image.entries.values())  # only root may make them
        # A folder has one layer and no configuration.
        return _count(image) == 1 and not (image.refused or nodes or _has_words(image))
    return not (form.startswith("saved") and image.refused)


def _has_words(image: Image) -> bool:
    """True where there is more in an image than its files."""
    plain = Config(architecture="amd64", os="linux")
    return image.config != plain or any(layer.command for layer in image.layers)


def write(image: Image, place: str, form: str, packing: str) -> str:
    """Write an image in this form, its layers packed in this way, into a folder; the path of the image."""
    if form == "rootfs":
        return _folder(f"{place}/rootfs", [*image.entries.values()])
    files = (w.layout if form.startswith("layout") else w.saved)(list(_layers(image, packing)), **_run(image.config))
    return (w.write_archive if ".tar" in form else w.write_folder)(f"{place}/{form}", files)


def _run(config: Config) -> dict[str, Any]:
    words = {"Env": config.env, "Entrypoint": config.entrypoint, "Cmd": config.cmd, "User": config.user}
    words |= {"WorkingDir": config.workdir, "Labels": config.labels, "architecture": config.architecture}
    return words


def _layers(image: Image, packing: str) -> Iterator[w.Packed]:
    for number in range(_count(image)):
        command = image.layers[number].command if number < len(image.layers) else ""
        yield w.layer(list(_members(image, number)), packing, command)
    for sentence in image.refused:
        if MISSING_LAYER in sentence:
            yield w.layer({"elsewhere": "x"}, packing)._replace(elsewhere="https://example.org/layer")


def _count(image: Image) -> int:
    numbers = [one.layer for one in image.entries.values()] + [one.by for one in image.hidden]
    return max([0, len(image.layers) - 1, *numbers]) + 1


def _members(image: Image, layer: int) -> Iterator[tuple[str, w.Item]]:
    """What an archive holds, with names as tar has them: what is hidden later, what hides others, and the rest."""
    for one in image.hidden:
        if one.layer == layer:
            yield one.path[1:], w.file(bytes(one.size))
        if one.by == layer and not _is_covered(image, one):
            folder, _, name = one.path[1:].rpartition("/")
            yield f"{folder}/.wh.{name}".lstrip("/"), w.file(b"")
    yield from _earlier(image, layer)
    for entry in image.entries.values():
        if entry.layer == layer:
            yield entry.path[1:], _item(entry)
    if layer == 0 and any("leads out" in sentence for sentence in image.refused):
        yield "../../etc/passwd", w.file(b"root::0:0::/:/bin/sh\n")


def _earlier(image: Image, layer: int) -> Iterator[tuple[str, w.Item]]:
    """The databases of dpkg as a layer left them that brought some of the packages, and not the last."""
    for path, known in image.arrivals.items():
        entry = image.entries[path]
        if layer < entry.layer and layer in known.values():
            there = {package for package, number in known.items() if number <= layer}
            blocks = (block for block in (entry.text or "").split("\n\n") if _package(block) in there)
            yield path[1:], w.file("\n\n".join(blocks).encode())


def _package(block: str) -> str:
    fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(" "))
    return f"{fields['Package']} {fields.get('Version', '')}"


def _is_covered(image: Image, one: Hidden) -> bool:
    above = image.entries.get(one.path)
    return above is not None and above.layer == one.by


def _item(entry: Entry) -> w.Item:
    if entry.kind != "file":
        device = (_NVIDIA_MAJOR, 0) if entry.kind in ("char", "block") else (0, 0)
        return w.Item(_KINDS[entry.kind], target=entry.target, mode=entry.mode, uid=entry.uid, device=device)
    if entry.target:
        return w.hard_link(entry.target[1:])
    return w.file(content(entry), entry.mode)._replace(uid=entry.uid)


def content(entry: Entry) -> bytes:
    """The bytes of a file."""
    if entry.text is not None:
        return _text(entry.path, entry.text)
    start = _elf(entry.elf) if entry.elf else entry.head
    return start + bytes(max(0, entry.size - len(start)))


def _text(path: str, text: str) -> bytes:
    if path == "/etc/ld.so.cache":
        rows = (line.split(" => ") for line in text.splitlines())
        return ldcache.render([(name, target, ldcache.flags_for(62, 64), 0, 0) for name, target in rows])
    return _rpm(os.path.basename(path), text) if is_rpm(path) else text.encode()


def _rpm(base: str, listing: str) -> bytes:
    rows = (line.partition(" ") for line in listing.splitlines())
    known = ((name, *version.rpartition("-")[::2]) for name, _, version in rows)
    headers = (rpm_writer.header(name=name, version=version, release=release) for name, version, release in known)
    return _RPM[base](*headers)


def _elf(elf: Elf) -> bytes:
    return linked(
        elf.soname,
        elf.needs,
        machine=elf.machine,
        bits=elf.bits,
        runpath=elf.runpath,
        rpath=elf.rpath,
        interpreter=elf.interpreter,
        versions=elf.versions,
        code=fat_binary(*elf.architectures) if elf.architectures else b"",
    )


def _folder(root: str, entries: list[Entry]) -> str:
    """Write entries below a folder; hard links last, since their other names have to be there."""
    os.makedirs(root)
    for entry in sorted(entries, key=lambda one: one.kind == "file" and bool(one.target)):
        path = root + entry.path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if entry.kind == "folder":
            os.makedirs(path, exist_ok=True)
        elif entry.kind == "link":
            os.symlink(entry.target, path)
        elif entry.kind == "fifo":
            os.mkfifo(path)
        elif entry.target:
            os.link(root + entry.target, path)
        else:
            with open(path, "wb") as file:
                file.write(content(entry))
        if entry.kind != "link":
            os.chmod(path, entry.mode)
    return root
