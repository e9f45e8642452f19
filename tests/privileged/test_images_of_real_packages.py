"""Images made of what people really install: Debian's drivers, DKMS and compilers, and wheels of CUDA's and PyTorch's.

What is expected is all that is said: a finding that is not expected is a false one.
"""

import contextlib
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from linkspan.image import registry, source
from linkspan.image.registry import Target
from linkspan.image.runs import runs
from tests import debian
from tests.privileged.real_packages import Tree, installed, tree
from tests.unit.image import writer

pytestmark = [pytest.mark.privileged, pytest.mark.allow_subprocess]

SITE = "usr/local/lib/python3.11/site-packages"
NVRTC = "nvidia-cuda-nvrtc-cu12==12.4.127"
CUDA_13 = ("nvidia-cuda-runtime==13.0.48", "nvidia-cublas==13.0.0.19", "nvidia-cudnn-cu13==9.13.0.50")
"""Whole, as PyTorch pins them; 770 MB, kept unpacked in the tests' cache."""
TORCH = "torch==2.13.0+cpu"
"""Only where pip is given a place that has this build; what PyPI has under that number holds CUDA."""
LABELS = {"org.opencontainers.image.title": "app"}
COMPILER = {"I-WEIGHT-1", "I-WEIGHT-4"}
MODULE = {"I-BOUNDARY-5", "I-BOUNDARY-9", "I-BOUNDARY-10", "I-BOUNDARY-11", "I-BOUNDARY-18", *COMPILER}
OF_470 = (
    "libnvidia-tesla-470-cuda1",
    "libnvidia-tesla-470-ml1",
    "nvidia-tesla-470-smi",
    "nvidia-tesla-470-kernel-dkms",
)
CASES = {
    "driver 470 with its module": ("bookworm", OF_470, {"I-BOUNDARY-1", *MODULE}),
    "driver 535": ("bookworm", ("libcuda1", "libnvidia-ml1"), {"I-BOUNDARY-1", "I-BOUNDARY-11"}),
    "driver 550": (
        "trixie",
        ("libcuda1", "libnvidia-ml1", "nvidia-smi"),
        {"I-BOUNDARY-1", "I-BOUNDARY-5", "I-BOUNDARY-11"},
    ),
    "kernel modules' sources": ("bookworm", ("nvidia-kernel-dkms", "dkms"), MODULE),
    "compiler": ("bookworm", ("build-essential",), {"I-WEIGHT-3", *COMPILER}),
    "libc alone": ("bookworm", ("libc6", "base-files"), set()),
}
BASE: Tree = {"etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'}
PLACES = {
    "580 with a T4": (Target(driver="580.65.06", gpus=("T4",), capabilities=("7.5",)), set(), "natively"),
    "550 with an H100": (Target(driver="550.54.14", gpus=("H100",), capabilities=("9.0",)), {"I-TARGET-1"}, "not"),
    "580 with a V100": (Target(driver="580.65.06", gpus=("V100",), capabilities=("7.0",)), {"I-TARGET-3"}, "not"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_packages_put_into_an_image_is_told_and_nothing_else(tmp_path: Path, case: str) -> None:
    suite, packages, wanted = CASES[case]
    command = f"RUN apt-get install {' '.join(packages)}"
    layer = writer.layer(tree(installed(suite, *packages)), "zstd", command=command)
    image = source.open_image(writer.write_layout(str(tmp_path), [layer], Env=[], User="1000", Labels=LABELS))
    found = registry.findings(image)
    assert image.refused == ()
    assert {one.id for one in found} == wanted
    assert all(one.layer_command == command for one in found)


def wheels(name: str, *wanted: str) -> str:
    """The cached root file system with these wheels, as pip would have put them there."""

    def build(folder: str) -> None:
        site = f"{folder}/{SITE}"
        os.makedirs(f"{folder}/etc")
        Path(f"{folder}/etc/os-release").write_text(str(BASE["etc/os-release"]))
        with tempfile.TemporaryDirectory(prefix="linkspan-wheels-") as place:
            _download(place, *wanted)
            for wheel in glob.glob(f"{place}/*.whl"):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(site)

    return debian.cached(f"image-wheels-{name}", (wanted, 1), build)


def _download(place: str, *wanted: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", place, *wanted]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise debian.UnavailableError(f"{wanted[0]} cannot be had: {done.stderr.strip().splitlines()[-1:]}")


def test_whole_wheels_of_cuda_cublas_and_cudnn_have_nothing_wrong(tmp_path: Path) -> None:
    image = source.open_image(wheels("cuda-13", *CUDA_13))
    assert {one.name for one in image.elves} >= {"libcudart.so.13", "libcublasLt.so.13", "libcudnn.so.9"}
    assert sum(one.size for one in image.elves) > 900e6
    assert [one.id for one in registry.findings(image)] == []
    for name, (target, wanted, way) in PLACES.items():
        assert {one.id for one in registry.findings(image, target)} == wanted, name
        assert runs(image, target).way == way, name


def test_a_wheel_of_cudas_beside_the_toolkits_own_library_is_a_second_copy(tmp_path: Path) -> None:
    files = {f"{SITE}/{one}": content for one, content in tree(f"{wheels('nvrtc', NVRTC)}/{SITE}").items()}
    library = next(content for name, content in files.items() if name.endswith("/libnvrtc.so.12"))
    toolkit: Tree = {
        "usr/local/cuda-12.4/targets/x86_64-linux/lib/libnvrtc.so.12.4.127": library,
        "usr/local/cuda-12.4/targets/x86_64-linux/lib/libnvrtc.so.12": writer.link("libnvrtc.so.12.4.127"),
        "usr/local/cuda": writer.link("cuda-12.4"),
    }
    layers = [writer.layer({**BASE, **files}, "zstd"), writer.layer(toolkit, "zstd")]
    image = source.open_image(writer.write_layout(str(tmp_path), layers, Env=["PATH=/usr/bin"], User="1000"))
    copies = [one for one in registry.findings(image) if one.id == "I-WEIGHT-13"]
    assert len(copies) == 1
    assert copies[0].bytes >= 40e6


def test_a_torch_without_cuda_is_told_only_beside_wheels_of_cuda(tmp_path: Path) -> None:
    debian_12 = installed("bookworm", "base-files", "libc6", "libgomp1", "libstdc++6", "zlib1g")
    parts = (debian_12, wheels("torch-cpu", TORCH), wheels("cuda-13", *CUDA_13))
    alone, both = together(tmp_path / "alone", *parts[:2]), together(tmp_path / "both", *parts)
    tests_of_its_own = "I-WEIGHT-12"
    assert {one.id for one in registry.findings(source.open_image(alone))} == {tests_of_its_own}
    told = {one.id: one for one in registry.findings(source.open_image(both))}
    assert told.keys() == {tests_of_its_own, "I-FRAMEWORK-2"}
    assert "PyTorch 2.13.0+cpu has no CUDA in it" in told["I-FRAMEWORK-2"].cause


def together(into: Path, *roots: str) -> str:
    """A root file system of several, the later ones over the earlier ones."""
    for root in roots:
        shutil.copytree(root, into, symlinks=True, copy_function=_linked, dirs_exist_ok=True)
    return str(into)


def _linked(old: str, new: str) -> None:
    """Both have the same bytes, where that can be: they are a gigabyte, and only read."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError:
        shutil.copy2(old, new, follow_symlinks=False)
