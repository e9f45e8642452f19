"""Small images for the tests of rules: entries, and an image made of them."""

from linkspan.image.model import Config, Elf, Entry, Hidden, Image, Layer


def file(path: str, size: int = 1000, **more: object) -> Entry:
    """A file; ``layer``, ``mode``, ``text`` and the rest of ``Entry`` as keywords."""
    return Entry(**{"path": path, "kind": "file", "layer": 0, "size": size} | more)


def program(path: str, size: int = 100_000, **more: object) -> Entry:
    """A file that may be executed."""
    return file(path, size, **{"mode": 0o755, "head": b"\x7fELF"} | more)


def text(path: str, content: str, **more: object) -> Entry:
    """A small text whose content the reader kept."""
    return file(path, len(content), **{"text": content, "head": content.encode()[:64]} | more)


def library(path: str, size: int = 20_000_000, soname: str = "", needs: tuple[str, ...] = (), **more: object) -> Entry:
    """A library or program of x86-64, with its name for itself and those of what it needs."""
    elf = Elf(machine=62, bits=64, soname=soname, needs=needs)
    return file(path, size, **{"mode": 0o755, "head": b"\x7fELF", "elf": elf} | more)


def link(path: str, target: str, **more: object) -> Entry:
    """A symlink."""
    return Entry(**{"path": path, "kind": "link", "layer": 0, "target": target} | more)


def folder(path: str, **more: object) -> Entry:
    """A folder."""
    return Entry(**{"path": path, "kind": "folder", "layer": 0, "mode": 0o755} | more)


def node(path: str, **more: object) -> Entry:
    """A character device."""
    return Entry(**{"path": path, "kind": "char", "layer": 0, "mode": 0o666} | more)


def image(
    *entries: Entry,
    env: tuple[str, ...] = (),
    layers: tuple[Layer, ...] = (Layer(number=0, digest="sha256:" + "0" * 64),),
    hidden: tuple[Hidden, ...] = (),
    **config: object,
) -> Image:
    """An image of these entries; what is left of the keywords goes into its configuration."""
    return Image(
        source="test",
        config=Config(**{"env": env} | config),
        layers=layers,
        entries={entry.path: entry for entry in entries},
        hidden=hidden,
    )


def debian(*names: str) -> Entry:
    """The database of dpkg with these packages."""
    blocks = (f"Package: {name}\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\n" for name in names)
    return text("/var/lib/dpkg/status", "\n".join(blocks))


def rpm(*names: str) -> Entry:
    """The database of rpm, as the reader keeps it."""
    return text("/var/lib/rpm/rpmdb.sqlite", "".join(f"{name} 1.0-1\n" for name in names))


def wheel(name: str, version: str, site: str = "/usr/lib/python3/dist-packages") -> Entry:
    """What pip keeps of a package that it installed."""
    return text(f"{site}/{name}-{version}.dist-info/METADATA", f"Name: {name}\nVersion: {version}\n")
