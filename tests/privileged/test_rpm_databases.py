"""Databases that rpm and Berkeley DB themselves made, in images and on hosts; what rpm says of them is what counts."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from linkspan.check import eyes
from linkspan.check import packages as host_packages
from linkspan.formats import rpmdb
from linkspan.image import registry
from linkspan.image.libc import glibc
from linkspan.image.packages import installed
from linkspan.image.source import open_image
from tests import rpms
from tests.rpms import Rpm, Tiny
from tests.unit.image import writer

pytestmark = [pytest.mark.privileged, pytest.mark.allow_subprocess]

PACKAGES = (
    Tiny("bash", "5.1.8", "9.el9", "/usr/bin/bash"),
    Tiny("glibc", "2.34", "100.el9", "/usr/share/glibc-is-here"),
    Tiny("kernel-core", "5.14.0", "427.el9", "/usr/lib/modules/kernel", files=4000),
    Tiny("nvidia-driver-cuda-libs", "550.54.14", "1.el9", "/usr/lib64/libnvidia-nvvm.so.4"),
    Tiny("xorg-x11-drv-nvidia-cuda-libs", "560.35.03", "1.fc40", "/usr/lib64/nvidia/vdpau"),
    Tiny("nvidia-open-driver-G06-signed-kmp-default", "570.86.15_k6.4.0_150600.21", "1.1", "/usr/lib/open.ko"),
    Tiny("libcuda", "580.65.06", "1", "/usr/lib64/libcuda.so.1"),
    Tiny("libcudnn9-cuda-13", "9.12.0.46", "1", "/usr/share/cudnn"),
    Tiny("libnccl", "2.27.7", "1+cuda13.0", "/usr/share/nccl"),
    Tiny("vim-minimal", "8.2", "20.el9", "/usr/bin/vi", files=300),
)
BASE, DRIVER, LATER = (
    ("bash", "glibc", "kernel-core"),
    tuple(one.name for one in PACKAGES[3:9]),
    ("vim-minimal",),
)
FORMS: dict[str, tuple[str, str, Callable[[str, str], None] | None]] = {
    "SQLite": ("sqlite", "rpmdb.sqlite", None),
    "ndb": ("ndb", "Packages.db", None),
    "Berkeley DB": ("sqlite", "Packages", rpms.in_berkeley),
    "Berkeley DB, small pages, of a big-endian machine": (
        "sqlite",
        "Packages",
        lambda sqlite, path: rpms.in_berkeley(sqlite, path, 512, ">"),
    ),
    "Berkeley DB, large pages": ("sqlite", "Packages", lambda sqlite, path: rpms.in_berkeley(sqlite, path, 65536)),
}


class Steps:
    """A root in which packages are installed and removed, and what it was like after each step."""

    def __init__(self, folder: Path, form: str) -> None:
        backend, self._name, self._convert = FORMS[form]
        self.rpm = Rpm(f"{folder}/root", backend)
        self._folder = folder
        self.trees: list[dict[str, bytes]] = []
        packages = rpms.built(PACKAGES)
        for names in (BASE, DRIVER):
            self.rpm.install(packages, names)
            self._keep()
        self.rpm.erase("bash")  # a free slot, a free page
        self.rpm.install(packages, LATER)
        self._keep()

    @property
    def database(self) -> bytes:
        """The database as it is now, in the form that is asked for."""
        path = f"{self.rpm.database}/{self._name}"
        if self._convert:
            path = f"{self._folder}/Packages.{len(self.trees)}"
            if not os.path.exists(path):
                self._convert(f"{self.rpm.database}/rpmdb.sqlite", path)
        with open(path, "rb") as file:
            return file.read()

    def _keep(self) -> None:
        before = {path for tree in self.trees for path in tree}
        files = {
            os.path.relpath(f"{folder}/{name}", self.rpm.root): b"1"
            for folder, _, names in os.walk(self.rpm.root)
            for name in names
            if folder != self.rpm.database
        }
        new = {path: data for path, data in files.items() if path not in before}
        self.trees.append({**new, f"{rpms.FOLDER}/{self._name}": self.database})


@pytest.fixture(params=FORMS, scope="module")
def steps(request, tmp_path_factory) -> Steps:
    return Steps(tmp_path_factory.mktemp("rpm"), request.param)


def test_our_reader_says_of_a_database_what_rpm_says(steps):
    data = steps.database
    found = rpmdb.packages(lambda at, length: data[at : at + length], len(data))
    assert [f"{name} {version}" for name, version in found] == steps.rpm.packages()
    assert len(found) == len(PACKAGES) - 1


def test_the_driver_in_an_image_is_found_with_the_layer_that_it_came_with(steps, tmp_path):
    commands = ("FROM base", "RUN dnf install the driver", "RUN dnf install vim")
    layers = [writer.layer(tree, "zstd", command) for tree, command in zip(steps.trees, commands, strict=True)]
    image = open_image(writer.write_layout(f"{tmp_path}/image", layers))
    assert image.refused == ()
    assert sorted(f"{one.name} {one.version}" for one in installed(image)) == steps.rpm.packages()
    (finding,) = [one for one in registry.findings(image) if one.id == "I-BOUNDARY-11"]
    assert (finding.layer, finding.layer_command) == (1, "RUN dnf install the driver")
    assert finding.cause == (
        "packages of the driver are installed by rpm: libcuda, nvidia-driver-cuda-libs,"
        " nvidia-open-driver-G06-signed-kmp-default and 1 more"
    )
    assert {one.name: one.layer for one in installed(image)} == {
        **dict.fromkeys(BASE[1:], 0),
        **dict.fromkeys(DRIVER, 1),
        **dict.fromkeys(LATER, 2),
    }
    assert glibc(image) == "2.34"


def test_on_a_host_the_same_packages_are_known(steps, tmp_path):
    ((path, data),) = [(path, data) for path, data in steps.trees[-1].items() if path.startswith(rpms.FOLDER)]
    os.makedirs(f"{tmp_path}/{rpms.FOLDER}")
    (tmp_path / path).write_bytes(data)
    found = host_packages.installed(eyes.live(str(tmp_path), eyes.Ledger()))
    assert found["nvidia-driver-cuda-libs"] == "550.54.14-1.el9"
    assert found["nvidia-open-driver-G06-signed-kmp-default"] == "570.86.15_k6.4.0_150600.21-1.1"


def test_rpm_reads_the_hash_of_berkeley_db_that_these_tests_make(tmp_path):
    root = Rpm(f"{tmp_path}/root", "sqlite")
    root.install(rpms.built(PACKAGES), BASE)
    rpms.in_berkeley(f"{root.database}/rpmdb.sqlite", f"{tmp_path}/Packages")
    assert rpms.query(str(tmp_path), "bdb_ro") == root.packages()
