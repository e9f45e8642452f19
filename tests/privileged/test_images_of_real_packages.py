"""Images made of what people really install: Debian's driver, DKMS and compiler packages, and a wheel of CUDA's."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from linkspan.image import registry, source
from tests import debian
from tests.unit.image import writer
from tests.unit.image.writer import Item

pytestmark = [pytest.mark.privileged, pytest.mark.allow_subprocess]

SITE = "usr/local/lib/python3.11/site-packages"
WHEEL = "nvidia-cuda-nvrtc-cu12==12.4.127"
BASE = {"etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'}
CASES = {
    "driver 535": ("bookworm", ("libcuda1", "libnvidia-ml1"), {"I-BOUNDARY-1"}),
    "driver 550": ("trixie", ("libcuda1", "libnvidia-ml1", "nvidia-smi"), {"I-BOUNDARY-1", "I-BOUNDARY-5"}),
    "kernel modules' sources": ("bookworm", ("nvidia-kernel-dkms", "dkms"), {"I-BOUNDARY-9"}),
    "compiler": ("bookworm", ("gcc-12", "make", "binutils-x86-64-linux-gnu"), {"I-WEIGHT-1"}),
}


def unpacked(suite: str, packages: Sequence[str]) -> str:
    """The files of these packages, below a cached folder."""

    def build(folder: str) -> None:
        with debian.archive(suite, "main", "contrib", "non-free", "non-free-firmware") as archive:
            archive.unpack(packages, folder)

    return debian.cached(f"image-{suite}-{packages[0]}", (packages, 1), build)


def tree(root: str) -> dict[str, str | bytes | Item]:
    """A folder as the tree of a layer, without documentation."""
    found: dict[str, str | bytes | Item] = dict(BASE)
    for folder, folders, names in os.walk(root):
        for name in (*names, *(one for one in folders if os.path.islink(f"{folder}/{one}"))):
            path = f"{folder}/{name}"
            inside = os.path.relpath(path, root)
            if os.path.islink(path):
                found[inside] = writer.link(os.readlink(path))
            elif "/doc/" not in inside:
                with open(path, "rb") as file:
                    found[inside] = writer.file(file.read(), os.stat(path).st_mode & 0o777)
    return found


def status(packages: Sequence[str]) -> dict[str, str | bytes | Item]:
    """dpkg's database, as installing the packages would have left it."""
    stanzas = (f"Package: {one}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n" for one in packages)
    return {"var/lib/dpkg/status": "".join(stanzas)}


def ids(path: Path, layers: list[writer.Packed]) -> set[str]:
    image = source.open_image(writer.write_layout(str(path), layers, Env=["PATH=/usr/bin"], User="1000"))
    assert image.refused == ()
    return {one.id for one in registry.findings(image)}


@pytest.mark.parametrize("case", CASES)
def test_what_a_package_puts_into_an_image_is_told(tmp_path, case):
    suite, packages, wanted = CASES[case]
    files = {**tree(unpacked(suite, packages)), **status(packages)}
    found = ids(tmp_path / "image", [writer.layer(files, "zstd", command=f"RUN apt-get install {' '.join(packages)}")])
    assert wanted <= found, found


def test_an_image_with_nothing_but_its_distribution_keeps_to_its_side(tmp_path):
    found = ids(tmp_path / "image", [writer.layer(dict(BASE))])
    assert not [one for one in found if one.startswith("I-BOUNDARY")]


def test_a_wheel_of_cudas_beside_the_toolkits_own_library_is_a_second_copy(tmp_path):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(tmp_path), WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise debian.UnavailableError(f"{WHEEL} cannot be had: {done.stderr.strip().splitlines()[-1:]}")
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        files: dict[str, str | bytes | Item] = {
            f"{SITE}/{name}": archive.read(name) for name in archive.namelist() if not name.endswith("/")
        }
    library = next(content for name, content in files.items() if name.endswith("/libnvrtc.so.12"))
    toolkit = {
        "usr/local/cuda-12.4/targets/x86_64-linux/lib/libnvrtc.so.12.4.127": library,
        "usr/local/cuda-12.4/targets/x86_64-linux/lib/libnvrtc.so.12": writer.link("libnvrtc.so.12.4.127"),
        "usr/local/cuda": writer.link("cuda-12.4"),
    }
    found = ids(tmp_path / "image", [writer.layer({**BASE, **files}), writer.layer(toolkit)])
    assert "I-WEIGHT-13" in found, found
