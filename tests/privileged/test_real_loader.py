"""The caches that we write, judged by glibc's own loader and ldconfig in a chroot."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkspan.kernel import paths, prepare
from linkspan.sim.elfwriter import shared_object
from tests.debian import UnavailableError
from tests.unit.kernel import roots

pytestmark = pytest.mark.privileged

PROGRAMS = "/usr/sbin:/usr/bin:/sbin:/bin"
LOADER = "/lib64/ld-linux-x86-64.so.2"
OURS = "/opt/nvidia/lib"
DRIVER = {f"{OURS}/{name}": shared_object(name) for name in ("libcuda.so.1", "libnvidia-ml.so.1", "libnvcuvid.so.1")}
WORK = {"arch": "x86_64", "loadables": [[path, 64] for path in DRIVER]}
FOUND = {path.rpartition("/")[2]: path for path in DRIVER}


@pytest.fixture(scope="module")
def opener(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that opens libraries by name and says where they were."""
    if os.geteuid() or not shutil.which("gcc") or not os.path.exists(LOADER):
        raise UnavailableError("this test needs root, gcc, and glibc for x86-64")
    program = tmp_path_factory.mktemp("opener") / "dlopen"
    source = Path(__file__).with_name("dlopen.c")
    subprocess.run(["gcc", "-o", program, source, "-ldl"], check=True, timeout=60)
    return program


@pytest.fixture
def root(tmp_path: Path, opener: Path) -> Path:
    """glibc's loader and C library where Debian has them, that program, and the driver's libraries."""
    libc = re.search(r"libc\.so\.6 => (/\S+)", subprocess.check_output(["ldd", opener], text=True, timeout=60))
    assert libc is not None
    system = {LOADER: LOADER, "/usr/lib/x86_64-linux-gnu/libc.so.6": libc[1], "/bin/dlopen": str(opener)}
    roots.make(tmp_path / "root", {"/lib": roots.Link("usr/lib"), "/usr/lib": None, "/etc/debian_version": "12"})
    for place, source in system.items():
        target = tmp_path / "root" / place[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    return roots.make(tmp_path / "root", DRIVER)


def run_prepare(root: Path) -> None:
    fd = paths.open_root(str(root))
    try:
        prepare.prepare(fd, WORK)
    finally:
        os.close(fd)


def run(name: str, *arguments: str | Path) -> str:
    """What a program of this machine prints, started with an empty environment."""
    program = shutil.which(name, path=PROGRAMS)
    if program is None:
        raise UnavailableError(f"{name} is not installed")
    result = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, env={}, check=False)
    return result.stdout


def ldconfig(root: Path, *arguments: str) -> str:
    return run("ldconfig", "-r", root, *arguments)


def opened(root: Path, *names: str) -> dict[str, str]:
    """Where a program in the root finds libraries, with an empty environment."""
    return dict(line.split(" ", 1) for line in run("chroot", root, "/bin/dlopen", *names).splitlines())


def configure(root: Path, **libraries: dict[str, bytes]) -> None:
    """Give the root a configuration that lists folders of libraries below /opt."""
    tree: dict[str, bytes | str] = {"/etc/ld.so.conf": "".join(f"/opt/{folder}\n" for folder in libraries)}
    for folder, files in libraries.items():
        tree |= {f"/opt/{folder}/{name}": data for name, data in files.items()}
    roots.make(root, tree)


def test_without_us_nothing_is_found(root: Path) -> None:
    assert not set(opened(root, *FOUND).values()) & set(FOUND.values())


def test_a_root_without_a_cache_finds_the_driver_and_the_folders_that_it_configures(root: Path) -> None:
    configure(root, mine={"libmine.so.1": shared_object("libmine.so.1")})
    run_prepare(root)
    assert opened(root, *FOUND, "libmine.so.1") == {**FOUND, "libmine.so.1": "/opt/mine/libmine.so.1"}


@pytest.mark.parametrize("layout", ["old", "compat", "new"])
def test_every_layout_of_ldconfig_is_read_and_kept(root: Path, layout: str) -> None:
    configure(root, mine={"libmine.so.1": shared_object("libmine.so.1")})
    ldconfig(root, "-c", layout)
    assert "libmine.so.1" in opened(root, "libmine.so.1")
    run_prepare(root)
    assert opened(root, *FOUND, "libmine.so.1") == {**FOUND, "libmine.so.1": "/opt/mine/libmine.so.1"}


def test_of_a_thousand_names_each_is_found_where_the_image_has_it(root: Path) -> None:
    stems = [
        f"lib{stem}{number}" for stem in ("cuda", "nvidia-", "z", "x_", "a+") for number in (*range(30), 100, 4096)
    ]
    names = [f"{stem}.so.{version}" for stem in stems for version in ("1", "2", "10", "1.2.30", "1-rc1", "20230401")]
    configure(root, many={name: shared_object(name) for name in names})
    ldconfig(root)
    run_prepare(root)
    assert opened(root, *FOUND, *names) == FOUND | {name: f"/opt/many/{name}" for name in names}


def test_a_driver_in_the_image_does_not_win_not_even_one_for_this_very_processor(root: Path) -> None:
    older = {"libcuda.so.1": shared_object("libcuda.so.1"), "libz.so.1": shared_object("libz.so.1")}
    configure(root, old={**older, **{f"glibc-hwcaps/x86-64-v2/{name}": data for name, data in older.items()}})
    ldconfig(root)
    before = opened(root, "libcuda.so.1", "libz.so.1")
    assert set(before.values()) == {f"/opt/old/glibc-hwcaps/x86-64-v2/{name}" for name in before}
    run_prepare(root)
    after = opened(root, "libcuda.so.1", "libz.so.1")
    assert after == {**before, "libcuda.so.1": FOUND["libcuda.so.1"]}


def test_ldconfig_lists_what_we_wrote_and_finds_the_same_when_it_runs_itself(root: Path) -> None:
    run_prepare(root)
    listed = ldconfig(root, "-p")
    assert all(f"{name} (libc6,x86-64) => {path}" in listed for name, path in FOUND.items())
    ldconfig(root)
    assert opened(root, *FOUND) == FOUND


@pytest.fixture
def compat_root(root: Path) -> Iterator[Path]:
    folder = "/usr/local/cuda-12.9/compat"
    tree = {
        f"{folder}/libcuda.so.575.57.08": shared_object("libcuda.so.1"),
        f"{folder}/libcuda.so.1": roots.Link("libcuda.so.575.57.08"),
        "/usr/local/cuda": roots.Link("cuda-12.9"),
    }
    yield roots.make(root, tree)


@pytest.mark.parametrize("driver", ["550.163.01", "580.65.06"])
def test_the_newer_of_host_and_image_is_found_also_after_ldconfig(compat_root: Path, driver: str) -> None:
    fd = paths.open_root(str(compat_root))
    try:
        prepare.prepare(fd, {**WORK, "compat": {"driver": driver, "cuda": "", "root": ""}})
    finally:
        os.close(fd)
    folder = "/usr/local/cuda-12.9/compat" if driver < "575" else OURS
    assert opened(compat_root, "libcuda.so.1") == {"libcuda.so.1": f"{folder}/libcuda.so.1"}
    ldconfig(compat_root)
    assert opened(compat_root, "libcuda.so.1") == {"libcuda.so.1": f"{folder}/libcuda.so.1"}
