"""The .deb, by dpkg-deb, which sorts its files, and takes no time that is later than SOURCE_DATE_EPOCH."""

import hashlib
import os
import shutil

from linkspan._version import __version__
from packages import program, tree, wheels

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
SCRIPTS = f"{tree.REPOSITORY}/packages/debian"


def build(root: str, scratch: str, into: str, epoch: int) -> str:
    """Build the package of the files below ``root``; its path."""
    architecture = ARCHITECTURES.get(os.uname().machine, os.uname().machine)
    folder, path = f"{scratch}/deb", f"{into}/linkspan_{__version__}_{architecture}.deb"
    shutil.copytree(root, folder, symlinks=True)
    _write_control(folder, architecture)
    tree.settle(folder, epoch)
    # One thread: how many there are would show in the compressed bytes.
    command = ["dpkg-deb", "--root-owner-group", "--threads-max=1", "-Zzstd", "-z9", "--build", folder, path]
    program.run(command, epoch=epoch)
    return path


def _write_control(folder: str, architecture: str) -> None:
    sums = "".join(f"{md5(f'{folder}/{path}')}  {path}\n" for path in tree.listing(folder) if _is_plain(folder, path))
    with open(f"{SCRIPTS}/control", encoding="utf-8") as file:
        control = file.read().format(
            version=__version__,
            architecture=architecture,
            size_kb=size_kb(folder),
            python=wheels.PYTHONS[0],
            python_end=wheels.PYTHON_END,
        )
    for name in ("preinst", "postinst", "prerm", "postrm", "triggers"):
        tree.copy(f"{SCRIPTS}/{name}", f"{folder}/DEBIAN/{name}")
    for name, text in (("control", control), ("md5sums", sums)):
        with open(f"{folder}/DEBIAN/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(f"{folder}/DEBIAN/{name}", 0o644)


def _is_plain(folder: str, path: str) -> bool:
    return os.path.isfile(f"{folder}/{path}") and not os.path.islink(f"{folder}/{path}")


def md5(path: str) -> str:
    """The checksum that dpkg verifies installed files by."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def size_kb(folder: str) -> int:
    """What the files take up when installed, in kilobytes, each rounded up."""
    sizes = [os.lstat(f"{folder}/{path}").st_size for path in tree.listing(folder) if _is_plain(folder, path)]
    return sum((size + 1023) // 1024 for size in sizes)
