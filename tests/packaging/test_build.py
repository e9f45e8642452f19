import glob
import hashlib
import os
import re
import shutil
import subprocess
import tarfile

import pytest

from linkspan._version import __version__
from linkspan.store import names
from packages import wheels
from packages.tree import REPOSITORY
from tests.packaging.conftest import Built, build

pytestmark = pytest.mark.xdist_group("packaging")


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.fixture(scope="module")
def contents(built: Built, tmp_path_factory) -> dict[str, str]:
    """Where the files of each package were unpacked."""
    if os.geteuid():
        pytest.skip("only root can have rpm unpack a package, which it does in a chroot")
    folders = {kind: str(tmp_path_factory.mktemp(kind)) for kind in ("deb", "rpm", "archive")}
    subprocess.run(["dpkg-deb", "-R", built.deb, folders["deb"]], check=True, timeout=120)
    rpm = ["rpm", "--root", folders["rpm"], "--force-debian", "--nodeps", "--noscripts", "--notriggers", "-i"]
    subprocess.run([*rpm, built.rpm], check=True, timeout=120)
    subprocess.run(["tar", "-xf", built.archive, "-C", folders["archive"]], check=True, timeout=120)
    return folders


def digests(folder: str) -> dict[str, str]:
    """Every file below a folder: what it holds, or where it leads."""
    found = {}
    for place, _, files in os.walk(folder):
        for path in (f"{place}/{name}" for name in files):
            with open(path, "rb") if not os.path.islink(path) else open(os.devnull, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found[os.path.relpath(path, folder)] = os.readlink(path) if os.path.islink(path) else digest
    return found


def test_building_twice_gives_the_same_bytes(built, tmp_path):
    listed = output("git", "-C", REPOSITORY, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if os.path.exists(f"{REPOSITORY}/{name}"):
            os.makedirs(os.path.dirname(f"{tmp_path}/copy/{name}"), exist_ok=True)
            shutil.copy(f"{REPOSITORY}/{name}", f"{tmp_path}/copy/{name}")
    shutil.copytree(f"{REPOSITORY}/.make/wheels", f"{tmp_path}/copy/.make/wheels")
    epoch = output("git", "-C", REPOSITORY, "log", "-1", "--format=%ct").strip()
    before = os.umask(0o077)
    try:
        again = build(f"{tmp_path}/copy", f"{tmp_path}/dist", SOURCE_DATE_EPOCH=epoch, TZ="Asia/Tokyo")
    finally:
        os.umask(before)
    for first, second in zip(built, again, strict=True):
        assert os.path.basename(first) == os.path.basename(second)
        with open(first, "rb") as one, open(second, "rb") as other:
            assert one.read() == other.read(), os.path.basename(first)


def test_all_packages_hold_the_same_files(contents):
    deb, rpm = (digests(f"{contents[kind]}/usr") for kind in ("deb", "rpm"))
    (files,) = glob.glob(f"{contents['archive']}/*/files")
    assert deb == rpm == digests(files)
    for name in ("linkspan", "linkspan-runtime", "linkspan-hook", "linkspan-prestart-hook"):
        assert os.access(f"{contents['deb']}/usr/bin/{name}", os.X_OK)
    assert {name: deb[f"bin/{name}"] for name in names.NAMES} == names.NAMES
    assert "lib/systemd/system/linkspan-refresh.path" in deb
    assert "lib/udev/rules.d/60-linkspan.rules" in deb


def test_no_package_names_the_folders_it_was_built_in(built, contents):
    # The header of an .rpm is not compressed, so its file is looked at, too.
    command = ["grep", "-rlaF", "-e", REPOSITORY, "-e", "linkspan-packages-", built.rpm, *contents.values()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (1, "")


def test_every_supported_python_finds_its_parts_in_c(contents):
    for package in ("msgspec", "pydantic_core"):
        parts = glob.glob(f"{contents['deb']}/usr/lib/linkspan/packages/{package}/*.so")
        found = {re.search(r"cpython-3(\d+)-", path)[1] for path in parts}
        assert found == {python.removeprefix("3.") for python in wheels.PYTHONS}


def test_every_file_is_of_root(built):
    listed = output("dpkg-deb", "-c", built.deb).splitlines()
    assert {line.split()[1] for line in listed} == {"root/root"}
    with tarfile.open(built.archive) as archive:
        assert {(entry.uid, entry.gid, entry.uname) for entry in archive} == {(0, 0, "root")}
    owners = output("rpm", "-qp", "--qf", "[%{FILEUSERNAME}:%{FILEGROUPNAME}\n]", built.rpm)
    assert set(owners.split()) == {"root:root"}


def test_no_file_may_be_written_by_others_or_is_setuid(contents):
    for folder, folders, files in os.walk(f"{contents['deb']}/usr"):
        for path in (f"{folder}/{name}" for name in [*folders, *files]):
            assert os.path.islink(path) or os.stat(path).st_mode & 0o6022 == 0, path


@pytest.mark.parametrize("script", ["debian/preinst", "redhat/pre"])
def test_every_name_of_nvidias_is_guarded(script):
    with open(f"{REPOSITORY}/packages/{script}", encoding="utf-8") as file:
        guarded = re.search(r"^for name in (.*); do$", file.read(), re.MULTILINE)[1].split()
    assert sorted(guarded) == sorted(names.NAMES)


def test_the_deb_takes_the_place_of_the_toolkits_packages(built):
    for field in ("Conflicts", "Replaces", "Provides"):
        rivals = output("dpkg-deb", "-f", built.deb, field).strip().split(", ")
        assert {*rivals} >= {"nvidia-container-toolkit", "nvidia-container-toolkit-base", "libnvidia-container-tools"}
    depends = output("dpkg-deb", "-f", built.deb, "Depends")
    assert f"python3 (>= {wheels.PYTHONS[0]}), python3 (<< {wheels.PYTHON_END})" in depends


def test_the_rpm_takes_the_place_of_the_toolkits_packages(built):
    rivals = {"nvidia-container-toolkit", "nvidia-container-toolkit-base", "libnvidia-container-tools"}
    assert {*output("rpm", "-qp", "--conflicts", built.rpm).split()} >= rivals
    assert {*output("rpm", "-qp", "--provides", built.rpm).splitlines()} >= {*rivals, f"linkspan = {__version__}-1"}
    requires = output("rpm", "-qp", "--requires", built.rpm)
    assert "(/usr/bin/python3.11 or /usr/bin/python3.12 or " in requires
    assert ".so" not in requires


def test_the_rpm_lists_its_programs_and_scripts(built):
    listed = output("rpm", "-qlp", built.rpm).splitlines()
    assert {"/usr/bin/linkspan", "/usr/bin/nvidia-container-runtime", "/usr/lib/linkspan/maintain"} <= {*listed}
    assert not [path for path in listed if not path.startswith("/usr/")]
    scripts = output("rpm", "-qp", "--scripts", "--triggers", built.rpm)
    for name in ("preinstall", "postinstall", "preuninstall", "postuninstall", "triggerin"):
        assert f"{name} scriptlet (using /bin/sh)" in scripts
