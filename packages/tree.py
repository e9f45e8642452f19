"""The files that all three packages have, gathered below one folder as they are to lie below ``/``."""

import glob
import os
import shutil
import sys

from linkspan.store import launchers, names
from packages import program, wheels

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PREFIX = "/usr"
LIBRARY = f"{PREFIX}/lib/linkspan"
COPIED = {
    "packages/files/linkspan": f"{PREFIX}/bin/linkspan",
    "packages/files/maintain": f"{LIBRARY}/maintain",
    "share/systemd/linkspan-refresh.path": f"{PREFIX}/lib/systemd/system/linkspan-refresh.path",
    "share/systemd/linkspan-refresh.service": f"{PREFIX}/lib/systemd/system/linkspan-refresh.service",
    "share/udev/60-linkspan.rules": f"{PREFIX}/lib/udev/rules.d/60-linkspan.rules",
    "packages/files/copyright": f"{PREFIX}/share/doc/linkspan/copyright",
    "CHANGELOG.md": f"{PREFIX}/share/doc/linkspan/CHANGELOG.md",
}
SOURCES = ("src", "share", "hatch_build.py", "pyproject.toml", "README.md", "LICENSE")
"""What linkspan's own wheel is built from."""


def gather(root: str, scratch: str, wheelhouse: str, epoch: int) -> None:
    """Fill ``root``; what is needed on the way is made in ``scratch``, and wheels are kept in ``wheelhouse``."""
    dependencies = wheels.fetch(f"{REPOSITORY}/requirements.lock", wheelhouse)
    wheels.unpack([build_wheel(scratch, epoch), *dependencies], f"{root}{LIBRARY}/packages")
    put_start_path(root)
    for source, target in COPIED.items():
        copy(f"{REPOSITORY}/{source}", f"{root}{target}")
    settle(root, epoch)


def build_wheel(scratch: str, epoch: int) -> str:
    """The wheel of linkspan itself, built in a copy: the native files of this checkout may be in use."""
    for name in SOURCES:
        source, target = f"{REPOSITORY}/{name}", f"{scratch}/source/{name}"
        if os.path.isdir(source):
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", f"{scratch}/wheel"]
    program.run(command, folder=f"{scratch}/source", epoch=epoch)
    (wheel,) = glob.glob(f"{scratch}/wheel/*.whl")
    return wheel


def put_start_path(root: str) -> None:
    """What ``linkspan install --prefix /usr`` makes, less the archive, which is for one version of Python."""
    source = f"{root}{LIBRARY}/packages/linkspan"
    python = f"{LIBRARY}/python"  # a link, which the package makes once it is on the machine
    place = launchers.Place(prefix=PREFIX, home=f"{LIBRARY}/packages", python=(python, "-IS"))
    os.makedirs(f"{root}{place.programs}")
    launchers.put_modules(source, f"{root}{place.library}")
    launchers.launch(place, python, f"{source}/{launchers.LAUNCHER}", below=root)
    names.put(f"{root}{place.programs}")


def copy(source: str, target: str) -> None:
    """Copy one file; nothing of it but its content and whether it can be run."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, target)
    os.chmod(target, 0o755 if os.access(source, os.X_OK) else 0o644)


def settle(root: str, epoch: int) -> None:
    """Give folders their mode and everything its time: a package shows neither its builder's umask nor the clock."""
    for folder, folders, files in os.walk(root):
        os.chmod(folder, 0o755)  # noqa: S103  # folders of programs are for everybody
        for name in [*folders, *files]:
            os.utime(f"{folder}/{name}", (epoch, epoch), follow_symlinks=False)
    os.utime(root, (epoch, epoch))


def listing(root: str) -> list[str]:
    """Every path below a folder, relative to it and in order."""
    found = [os.path.join(folder, name) for folder, folders, files in os.walk(root) for name in [*folders, *files]]
    return sorted(os.path.relpath(path, root) for path in found)
