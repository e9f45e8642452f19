"""What makes a container's loader find the driver's libraries."""

import errno
import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from linkspan.errors import KernelError, UnsafePath
from linkspan.formats import ldcache
from linkspan.kernel import loader, paths
from tests.elf import library
from tests.unit.kernel import roots
from tests.unit.kernel.roots import Link

X86_64, I386 = 0x0303, 0x0003
LIBS = "/usr/lib/x86_64-linux-gnu"
CUDA = f"{LIBS}/libcuda.so.1"
INCLUDE = "include /etc/ld.so.conf.d/*.conf\n"
LIBZ = ("libz.so.1", f"{LIBS}/libz.so.1", X86_64, 0, 0)
DEBIAN = {
    "/etc/debian_version": "12.8\n",
    "/etc/ld.so.conf": INCLUDE,
    "/etc/ld.so.conf.d/libc.conf": "/usr/local/lib\n",
    "/etc/ld.so.conf.d/x86_64-linux-gnu.conf": f"/usr/local/lib/x86_64-linux-gnu\n/lib/x86_64-linux-gnu\n{LIBS}\n",
    "/etc/ld.so.cache": ldcache.render([LIBZ]),
}


def update(root_fd: int, *loadables: str, compat: str = "", arch: str = "x86_64") -> None:
    loader.update(root_fd, arch, [(path, 32 if "i386" in path else 64) for path in loadables], compat)


def cache(root: Path) -> list[ldcache.Entry]:
    return ldcache.parse((root / "etc/ld.so.cache").read_bytes())


def found(root: Path, name: str, flags: int = X86_64) -> str:
    """What the loader would take: the first entry of the name that fits its machine."""
    return next(entry[1] for entry in cache(root) if entry[0] == name and entry[2] == flags)


def drop_ins(root: Path) -> dict[str, str]:
    folder = root / "etc/ld.so.conf.d"
    return {name: (folder / name).read_text() for name in sorted(os.listdir(folder))} if folder.exists() else {}


def set_time(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))


# -- the cache


def test_our_libraries_are_added_to_what_the_image_has(root: Path, root_fd: int) -> None:
    roots.make(root, DEBIAN)
    update(root_fd, CUDA, "/usr/lib/i386-linux-gnu/libcuda.so.1")
    assert cache(root) == [
        LIBZ,
        ("libcuda.so.1", CUDA, X86_64, 0, 0),
        ("libcuda.so.1", "/usr/lib/i386-linux-gnu/libcuda.so.1", I386, 0, 0),
    ]
    assert stat.S_IMODE((root / "etc/ld.so.cache").stat().st_mode) == 0o644


def test_a_driver_in_the_image_is_found_after_ours(root: Path, root_fd: int) -> None:
    theirs = [
        ("libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1", X86_64, 0, 0),
        ("libcuda.so.1", f"{LIBS}/glibc-hwcaps/x86-64-v3/libcuda.so.1", X86_64, 0, 1 << 62),
    ]
    roots.make(root, {**DEBIAN, "/etc/ld.so.cache": ldcache.render(theirs, ("x86-64-v3",))})
    update(root_fd, CUDA)
    assert cache(root) == [("libcuda.so.1", CUDA, X86_64, 0, 0), *theirs]
    assert ldcache.hwcap_folders((root / "etc/ld.so.cache").read_bytes()) == ("x86-64-v3",)


def test_an_entry_of_the_image_for_the_same_path_is_ours_now(root: Path, root_fd: int) -> None:
    roots.make(root, {**DEBIAN, "/etc/ld.so.cache": ldcache.render([("libcuda.so.1", CUDA, X86_64, 0x30200, 0)])})
    update(root_fd, CUDA)
    assert cache(root) == [("libcuda.so.1", CUDA, X86_64, 0, 0)]


def test_a_second_run_changes_nothing(root: Path, root_fd: int) -> None:
    compat = {f"/opt/compat/libcuda.so.{name}": library("libcuda.so.1") for name in ("1", "550.54.15")}
    roots.make(root, {**DEBIAN, **compat, "/usr/local/lib/libmine.so.1": library("libmine.so.1")})
    set_time(root / "etc/ld.so.cache", 1000)
    loadables = (CUDA, "/usr/lib/wsl/lib/libdxcore.so", "/usr/lib/i386-linux-gnu/libcuda.so.1")
    update(root_fd, *loadables, compat="/opt/compat")
    first = roots.snapshot(root)
    update(root_fd, *loadables, compat="/opt/compat")
    assert roots.snapshot(root) == first


def test_aarch64_has_its_own_flags(root: Path, root_fd: int) -> None:
    update(root_fd, "/usr/lib/aarch64-linux-gnu/libcuda.so.1", arch="aarch64")
    assert [entry[2] for entry in cache(root)] == [0x0A03]


@pytest.mark.parametrize("data", [b"", b"garbage", b"glibc-ld.so.cache1.1" + b"\xff" * 100, bytes(5000)])
def test_a_cache_that_the_loader_would_not_follow_counts_as_none(root: Path, root_fd: int, data: bytes) -> None:
    tree = {**DEBIAN, "/etc/ld.so.cache": data, "/usr/local/lib/libmine.so.1": library("libmine.so.1")}
    roots.make(root, tree)
    update(root_fd, CUDA)
    assert found(root, "libmine.so.1") == "/usr/local/lib/libmine.so.1"
    assert found(root, "libcuda.so.1") == CUDA


def test_an_extension_that_the_loader_would_not_follow_is_left_out(root: Path, root_fd: int) -> None:
    data = bytearray(ldcache.render([LIBZ], ("x86-64-v3",)))
    data[32:36] = (len(data) - 2).to_bytes(4, "little")
    roots.make(root, {**DEBIAN, "/etc/ld.so.cache": bytes(data)})
    update(root_fd, CUDA)
    assert [entry[1] for entry in cache(root)] == [LIBZ[1], CUDA]


def test_four_gigabytes_of_cache_count_as_none(root: Path, root_fd: int) -> None:
    roots.make(root, DEBIAN)
    os.truncate(root / "etc/ld.so.cache", 4 << 30)
    update(root_fd, CUDA)
    assert [entry[1] for entry in cache(root)] == [CUDA]


@pytest.mark.parametrize("plant", ["fifo", "loop", "dangling", "host"])
def test_whatever_stands_in_the_caches_place_is_replaced(root: Path, root_fd: int, plant: str, tmp_path: Path) -> None:
    place = roots.make(root, {**DEBIAN}) / "etc/ld.so.cache"
    place.unlink()
    host = tmp_path / "host-file"
    host.write_text("untouched")
    if plant == "fifo":
        os.mkfifo(place)
    else:
        place.symlink_to({"loop": "ld.so.cache", "dangling": "/none/at/all", "host": str(host)}[plant])
    update(root_fd, CUDA)
    assert [entry[1] for entry in cache(root)] == [CUDA]
    assert stat.S_ISREG(place.lstat().st_mode)
    assert host.read_text() == "untouched"


# -- folders that changed


def test_a_root_without_a_cache_gets_one_with_the_folders_that_it_configures(root: Path, root_fd: int) -> None:
    tree = {
        "/usr/local/lib/libmine.so.1.2": library("libmine.so.1"),
        f"{LIBS}/libbuiltin.so.1": library("libbuiltin.so.1"),
    }
    roots.make(root, {**{path: text for path, text in DEBIAN.items() if path != "/etc/ld.so.cache"}, **tree})
    update(root_fd, CUDA)
    assert {entry[:2] for entry in cache(root)} == {
        ("libmine.so.1", "/usr/local/lib/libmine.so.1.2"),
        ("libcuda.so.1", CUDA),
    }


def test_only_a_folder_that_changed_after_the_cache_is_scanned(root: Path, root_fd: int) -> None:
    old = [
        ("libgone.so.1", "/usr/local/lib/libgone.so.1", X86_64, 0, 0),
        ("libquiet.so.1", "/opt/quiet/libquiet.so.1", X86_64, 0, 0),
    ]
    tree = {
        "/etc/ld.so.conf.d/quiet.conf": "/opt/quiet\n/none",
        "/etc/ld.so.cache": ldcache.render(old),
        "/usr/local/lib/libnew.so.1": library("libnew.so.1"),
        "/opt/quiet/libunseen.so.1": library("libunseen.so.1"),
    }
    roots.make(root, {**DEBIAN, **tree})
    set_time(root / "opt/quiet", 1000)
    set_time(root / "etc/ld.so.cache", 2000)
    set_time(root / "usr/local/lib", 3000)
    update(root_fd, CUDA)
    assert {entry[0] for entry in cache(root)} == {"libnew.so.1", "libquiet.so.1", "libcuda.so.1"}


def test_what_is_found_there_does_not_go_before_ours(root: Path, root_fd: int) -> None:
    tree = {"/usr/local/lib/libcuda.so.1": library("libcuda.so.1")}
    roots.make(root, {**DEBIAN, **tree})
    set_time(root / "etc/ld.so.cache", 1000)
    update(root_fd, CUDA)
    assert [entry[1] for entry in cache(root) if entry[0] == "libcuda.so.1"] == [CUDA, "/usr/local/lib/libcuda.so.1"]


# -- the configuration for a later ldconfig


def test_folders_that_ldconfig_knows_are_not_listed(root: Path, root_fd: int) -> None:
    roots.make(root, DEBIAN)
    update(root_fd, CUDA, "/usr/local/lib/libnvidia-ml.so.1", "/lib/libnvidia-cfg.so.1")
    assert set(drop_ins(root)) == {"libc.conf", "x86_64-linux-gnu.conf"}


def test_other_folders_are_listed_under_a_fixed_name(root: Path, root_fd: int) -> None:
    roots.make(root, DEBIAN)
    update(root_fd, "/usr/lib/wsl/lib/a.so", "/usr/lib/wsl/lib/b.so", "/usr/lib/i386-linux-gnu/libcuda.so.1")
    assert drop_ins(root)["00-linkspan.conf"] == "/usr/lib/wsl/lib\n/usr/lib/i386-linux-gnu\n"
    assert (root / "etc/ld.so.conf").read_text() == INCLUDE


def test_the_folders_of_a_second_specs_hook_are_added(root: Path, root_fd: int) -> None:
    for driver in ("/opt/a/libcuda.so.1", "/opt/b/libnvidia-fs.so.1", "/opt/a/libcuda.so.1"):
        update(root_fd, driver)
    assert drop_ins(root) == {"00-linkspan.conf": "/opt/a\n/opt/b\n"}
    assert found(root, "libcuda.so.1") == "/opt/a/libcuda.so.1"
    assert found(root, "libnvidia-fs.so.1") == "/opt/b/libnvidia-fs.so.1"


def test_a_root_that_is_not_multiarch_has_other_built_in_folders(root: Path, root_fd: int) -> None:
    update(root_fd, CUDA, "/usr/lib64/libnvidia-ml.so.1")
    assert drop_ins(root) == {"00-linkspan.conf": f"{LIBS}\n"}
    assert (root / "etc/ld.so.conf").read_text() == INCLUDE


def test_a_configuration_without_an_include_gets_it_and_keeps_the_rest(root: Path, root_fd: int) -> None:
    roots.make(root, {"/etc/ld.so.conf": "/opt/lib\n"})
    update(root_fd, "/opt/nvidia/libcuda.so.1")
    assert (root / "etc/ld.so.conf").read_text() == INCLUDE + "/opt/lib\n"


@pytest.mark.parametrize("plant", ["fifo", "huge", "folder"])
def test_a_configuration_that_cannot_be_read_is_left_alone(root: Path, root_fd: int, plant: str) -> None:
    place = roots.make(root, {"/etc": None}) / "etc/ld.so.conf"
    if plant == "fifo":
        os.mkfifo(place)
    elif plant == "folder":
        place.mkdir()
    else:
        place.write_text("/opt/lib\n" + INCLUDE)
        os.truncate(place, 4 << 30)
    before = place.lstat()
    update(root_fd, "/opt/nvidia/libcuda.so.1")
    assert place.lstat() == before
    assert drop_ins(root) == {"00-linkspan.conf": "/opt/nvidia\n"}


def test_a_looping_link_in_the_configurations_place_is_replaced(root: Path, root_fd: int) -> None:
    roots.make(root, {"/etc/ld.so.conf": Link("ld.so.conf")})
    update(root_fd, "/opt/nvidia/libcuda.so.1")
    assert (root / "etc/ld.so.conf").read_text() == INCLUDE


# -- CUDA compatibility


def test_compatibility_libraries_go_before_the_hosts(root: Path, root_fd: int) -> None:
    tree = {"/opt/compat/libcuda.so.1": library("libcuda.so.1"), "/opt/compat/libextra.so.1": library("libextra.so.1")}
    roots.make(root, {**DEBIAN, **tree})
    update(root_fd, CUDA, "/opt/nvidia/libnvidia-ml.so.1", compat="/opt/compat")
    assert found(root, "libcuda.so.1") == "/opt/compat/libcuda.so.1"
    assert found(root, "libextra.so.1") == "/opt/compat/libextra.so.1"
    names = sorted(drop_ins(root))
    assert names[:2] == ["00-compat-linkspan.conf", "00-linkspan.conf"]
    assert drop_ins(root)["00-compat-linkspan.conf"] == "/opt/compat\n"


def test_without_them_an_earlier_starts_choice_is_taken_back(root: Path, root_fd: int) -> None:
    roots.make(root, {**DEBIAN, "/opt/compat/libcuda.so.1": library("libcuda.so.1")})
    update(root_fd, CUDA, compat="/opt/compat")
    update(root_fd, CUDA)
    assert found(root, "libcuda.so.1") == CUDA
    assert set(drop_ins(root)) == {"libc.conf", "x86_64-linux-gnu.conf"}


# -- other roots


def test_musl_alone_needs_no_cache(root: Path, root_fd: int) -> None:
    roots.make(root, {"/lib/ld-musl-x86_64.so.1": ""})
    update(root_fd, CUDA, compat="/opt/compat")
    assert sorted(os.listdir(root / "etc")) == ["ld-musl-x86_64.path"]
    assert (root / "etc/ld-musl-x86_64.path").read_text().startswith(f"/opt/compat\n{LIBS}\n/lib\n")


def test_musl_beside_glibc_leaves_both_able(root: Path, root_fd: int) -> None:
    loaders = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-i386.so.1")
    roots.make(root, {**DEBIAN, **dict.fromkeys(loaders, "")})
    update(root_fd, CUDA, "/usr/lib/i386-linux-gnu/libcuda.so.1")
    assert found(root, "libcuda.so.1") == CUDA
    assert (root / "etc/ld-musl-x86_64.path").exists()
    assert (root / "etc/ld-musl-i386.path").exists()


def test_an_image_without_loader_or_etc_gets_what_can_be_made(root: Path, root_fd: int) -> None:
    update(root_fd, CUDA)
    assert found(root, "libcuda.so.1") == CUDA


def test_an_etc_that_is_a_link_is_followed_inside(root: Path, root_fd: int) -> None:
    roots.make(root, {"/etc": Link("/usr/etc"), "/usr/etc": None})
    update(root_fd, CUDA)
    assert "ld.so.cache" in os.listdir(root / "usr/etc")


def test_an_etc_that_leads_in_circles_is_refused(root: Path, root_fd: int) -> None:
    roots.make(root, {"/etc": Link("/etc")})
    with pytest.raises(UnsafePath, match="symlinks"):
        update(root_fd, CUDA)


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int, path: str, *__: object, **___: object) -> None:
        cause = OSError(errno.EROFS, "Read-only file system")
        raise KernelError(f"cannot write {path}") from cause

    monkeypatch.setattr(paths, "write_file", refuse)


@pytest.mark.usefixtures("read_only")
def test_a_read_only_root_will_do_where_the_loader_looks_anyway(root: Path, root_fd: int) -> None:
    roots.make(root, DEBIAN)
    update(root_fd, CUDA, "/usr/lib/i386-linux-gnu/libcuda.so.1")
    assert cache(root) == [LIBZ]


@pytest.mark.usefixtures("read_only")
@pytest.mark.parametrize(
    ("loadables", "compat", "shadow"),
    [
        (["/opt/nvidia/libcuda.so.1"], "", ()),
        ([CUDA], "/opt/compat", ()),
        ([CUDA], "", [("libcuda.so.1", "/usr/local/lib/libcuda.so.1", X86_64, 0, 0)]),
    ],
    ids=["another folder", "compatibility libraries", "an older driver in the cache"],
)
def test_a_read_only_root_is_an_error_where_it_matters(
    root: Path, root_fd: int, loadables: Sequence[str], compat: str, shadow: Sequence[ldcache.Entry]
) -> None:
    roots.make(root, {**DEBIAN, "/etc/ld.so.cache": ldcache.render([LIBZ, *shadow])})
    with pytest.raises(KernelError, match="cannot write"):
        update(root_fd, *loadables, compat=compat)


def test_a_full_disk_is_an_error_even_where_the_loader_looks_anyway(
    root: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    roots.make(root, DEBIAN)
    monkeypatch.setattr(paths.os, "write", full)
    with pytest.raises(KernelError, match=r"cannot write /etc/ld.so.cache in the container: No space left on device"):
        update(root_fd, CUDA)


def test_the_worst_image_takes_no_more_than_seconds(root: Path, root_fd: int) -> None:
    one = library("libx.so.1")
    tree = {f"/opt/{folder}/lib{number}.so": one for folder in range(3) for number in range(1000)}
    listed = "".join(f"/opt/{number}\n" for number in range(20_000))
    roots.make(root, {**DEBIAN, "/etc/ld.so.conf": listed, "/etc/ld.so.cache": b"\xff" * (1 << 20), **tree})
    started = time.monotonic()
    update(root_fd, CUDA)
    assert time.monotonic() - started < 5
    assert found(root, "libcuda.so.1") == CUDA
