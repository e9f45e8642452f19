"""Small images for the tests of what judges one: entries by what they are, and an image made of them."""

from linkspan.image.model import Config, Elf, Entry, Hidden, Image, Layer

SITE = "/usr/local/lib/python3.11/site-packages"
TOOLKIT = "/usr/local/cuda-12.4/targets/x86_64-linux/lib"
SYSTEM = "/usr/lib/x86_64-linux-gnu"
ONE_LAYER = (Layer(number=0, digest="sha256:" + "0" * 64),)


def file(path: str, size: int = 1000, **more: object) -> Entry:
    """A file; ``layer``, ``mode`` and the rest of ``Entry`` as keywords."""
    return Entry(**{"path": path, "kind": "file", "layer": 0, "size": size} | more)


def text(path: str, content: str, **more: object) -> Entry:
    """A small text whose content the reader keeps."""
    return file(path, len(content), **{"text": content, "head": content.encode()[:64]} | more)


def script(path: str, first_line: str, **more: object) -> Entry:
    """A file that may be executed, and is no ELF file."""
    return file(path, **{"mode": 0o755, "head": first_line.encode()} | more)


def library(
    path: str,
    *needs: str,
    size: int = 300_000,
    soname: str = "",
    gpu: tuple[str, ...] | None = None,
    **more: object,
) -> Entry:
    """A library of x86-64 with what it needs, large enough to be no stub; the rest of ``Elf`` or ``Entry`` as keywords.

    ``gpu`` are the architectures that it holds code for.
    """
    known = {key: more.pop(key) for key in Elf.__struct_fields__ if key in more}
    elf = Elf(**{"machine": 62, "bits": 64, "soname": soname, "needs": needs, "architectures": gpu} | known)
    return file(path, size, **{"mode": 0o755, "head": b"\x7fELF", "elf": elf} | more)


def program(path: str, *needs: str, **more: object) -> Entry:
    """A program, started by glibc's loader; keywords as for ``library``."""
    return library(path, *needs, **{"interpreter": "/lib64/ld-linux-x86-64.so.2"} | more)


def link(path: str, target: str, **more: object) -> Entry:
    """A symlink."""
    return Entry(**{"path": path, "kind": "link", "layer": 0, "target": target, "mode": 0o777} | more)


def folder(path: str, **more: object) -> Entry:
    """A folder."""
    return Entry(**{"path": path, "kind": "folder", "layer": 0, "mode": 0o755} | more)


def node(path: str, **more: object) -> Entry:
    """A character device."""
    return Entry(**{"path": path, "kind": "char", "layer": 0, "mode": 0o666} | more)


def debian(*names: str, **versions: str) -> Entry:
    """The database of dpkg with these packages; an underscore in a keyword stands for a hyphen."""
    packages = dict.fromkeys(names, "1.0-1") | {name.replace("_", "-"): known for name, known in versions.items()}
    blocks = (
        f"Package: {name}\nStatus: install ok installed\nVersion: {version}\nArchitecture: amd64\n"
        for name, version in packages.items()
    )
    return text("/var/lib/dpkg/status", "\n".join(blocks))


def rpm(*names: str, base: str = "rpmdb.sqlite", **versions: str) -> Entry:
    """The database of rpm in one of its forms, which its file's name tells, as the reader keeps it."""
    packages = dict.fromkeys(names, "1.0-1") | {name.replace("_", "-"): known for name, known in versions.items()}
    return text(f"/var/lib/rpm/{base}", "".join(f"{name} {version}\n" for name, version in packages.items()))


def wheel(name: str, version: str, *requires: str, site: str = SITE) -> Entry:
    """What pip keeps of a package that it installed."""
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in requires)]
    return text(f"{site}/{name.replace('-', '_')}-{version}.dist-info/METADATA", "\n".join(lines) + "\n")


def cudart(version: str = "12.4.127") -> Entry:
    """The CUDA runtime of a toolkit."""
    release, major = ".".join(version.split(".")[:2]), version.split(".", maxsplit=1)[0]
    name = "libcudart.so.11.0" if major == "11" else f"libcudart.so.{major}"
    return library(f"/usr/local/cuda-{release}/targets/x86_64-linux/lib/libcudart.so.{version}", soname=name)


def compat(driver: str = "550.54.15") -> Entry:
    """The libcuda of the compatibility package."""
    return library(f"/usr/local/cuda-12.4/compat/libcuda.so.{driver}", soname="libcuda.so.1")


def image(
    *entries: Entry,
    env: tuple[str, ...] = (),
    layers: tuple[Layer, ...] = ONE_LAYER,
    hidden: tuple[Hidden, ...] = (),
    refused: tuple[str, ...] = (),
    arrivals: dict[str, dict[str, int]] | None = None,
    **config: object,
) -> Image:
    """An image of these entries; what is left of the keywords goes into its configuration."""
    return Image(
        source="test",
        config=Config(**{"env": env, "architecture": "amd64", "os": "linux"} | config),
        layers=layers,
        entries={entry.path: entry for entry in entries},
        hidden=hidden,
        refused=refused,
        arrivals=arrivals or {},
    )
