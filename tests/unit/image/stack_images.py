"""Small images with a CUDA stack, for the tests of what judges one."""

from typing import NamedTuple

from linkspan.image.model import Config, Elf, Entry, Image
from linkspan.image.registry import Broken, Target, all_rules

SITE = "/usr/local/lib/python3.11/site-packages"
TOOLKIT = "/usr/local/cuda-12.4/targets/x86_64-linux/lib"
SYSTEM = "/usr/lib/x86_64-linux-gnu"
NOWHERE = Target()


class Case(NamedTuple):
    """A rule, an image that breaks it, and one that looks alike and does not."""

    rule: str
    broken: Image
    sound: Image
    target: Target = NOWHERE
    other_target: Target | None = None


def ask(rule: str, image: Image, target: Target = NOWHERE) -> list[Broken]:
    """What one rule says of an image."""
    (found,) = (one for one in all_rules() if one.id == rule)
    return list(found.look(image, target))


def ids(area: str) -> set[str]:
    """The ids of an area's rules."""
    return {rule.id for rule in all_rules() if rule.area == area}


def elf(path: str, *needs: str, soname: str = "", gpu: tuple[str, ...] | None = None, **more: object) -> Entry:
    """A library or program; the rest of ``Elf`` as keywords."""
    known = Elf(**{"machine": 62, "bits": 64, "soname": soname, "needs": needs, "architectures": gpu} | more)
    return Entry(path=path, kind="file", layer=0, size=300_000, mode=0o755, head=b"\x7fELF", elf=known)


def program(path: str, *needs: str, **more: object) -> Entry:
    """A program, started by glibc's loader."""
    return elf(path, *needs, **{"interpreter": "/lib64/ld-linux-x86-64.so.2"} | more)


def file(path: str, content: str | None = None, size: int = 1000) -> Entry:
    """A file, with its text where that was kept."""
    return Entry(path=path, kind="file", layer=0, size=size if content is None else len(content), text=content)


def link(path: str, target: str) -> Entry:
    """A symlink."""
    return Entry(path=path, kind="link", layer=0, target=target)


def wheel(name: str, version: str, *requires: str, site: str = SITE) -> Entry:
    """The metadata of a Python package."""
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in requires)]
    return file(f"{site}/{name.replace('-', '_')}-{version}.dist-info/METADATA", "\n".join(lines))


def debian(**packages: str) -> Entry:
    """The database of dpkg; an underscore in a name stands for a hyphen."""
    blocks = (
        f"Package: {name.replace('_', '-')}\nStatus: install ok installed\nVersion: {version}\n"
        for name, version in packages.items()
    )
    return file("/var/lib/dpkg/status", "\n".join(blocks))


def rpm(**packages: str) -> Entry:
    """The database of rpm as the reader keeps it; an underscore in a name stands for a hyphen."""
    lines = (f"{name.replace('_', '-')} {version}\n" for name, version in packages.items())
    return file("/var/lib/rpm/Packages", "".join(lines))


def cudart(version: str = "12.4.127") -> Entry:
    """The CUDA runtime of a toolkit."""
    release, major = ".".join(version.split(".")[:2]), version.split(".", maxsplit=1)[0]
    name = "libcudart.so.11.0" if major == "11" else f"libcudart.so.{major}"
    return elf(f"/usr/local/cuda-{release}/targets/x86_64-linux/lib/libcudart.so.{version}", soname=name)


def compat(driver: str = "550.54.15") -> Entry:
    """The libcuda of the compatibility package."""
    return elf(f"/usr/local/cuda-12.4/compat/libcuda.so.{driver}", soname="libcuda.so.1")


def image(
    *entries: Entry, env: tuple[str, ...] = (), architecture: str = "amd64", refused: tuple[str, ...] = ()
) -> Image:
    """An image of these entries."""
    config = Config(env=env, architecture=architecture)
    return Image(source="test", config=config, entries={one.path: one for one in entries}, refused=refused)
