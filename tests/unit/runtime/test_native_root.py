"""The launcher prepares a root as Python prepared one that looked the same, or leaves it to Python."""

import json
import os
import random
import shutil
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from linkspan.formats import hookargs, ldcache
from linkspan.kernel import paths, prepare
from linkspan.runtime import keep
from tests.elf import library
from tests.unit.kernel import roots
from tests.unit.kernel.roots import Link
from tests.unit.runtime.native import Native

LIBS = "/usr/lib/x86_64-linux-gnu"
Tree = dict[str, Any]
DEBIAN: Tree = {
    "/etc/debian_version": "12.8\n",
    "/etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf\n",
    "/etc/ld.so.conf.d/libc.conf": "/usr/local/lib\n",
    "/etc/ld.so.conf.d/x86_64-linux-gnu.conf": f"{LIBS}\n",
    "/etc/ld.so.cache": ldcache.render([("libz.so.1", f"{LIBS}/libz.so.1", 0x303, 0, 0)]),
    f"{LIBS}/libz.so.1": "",
    "/usr/local/lib": None,
}
COMPAT: Tree = {
    "/usr/local/cuda": Link("cuda-12.1"),
    "/usr/local/cuda-12.1/compat/libcuda.so.530.30.02": library("libcuda.so.1", note=b'{"Driver":[450,470]}'),
    "/usr/local/cuda-12.1/compat/libcuda.so.1": Link("libcuda.so.530.30.02"),
}
IMAGES: dict[str, Tree] = {
    "Debian's": DEBIAN,
    "CUDA's, with older compatibility libraries": DEBIAN | COMPAT,
    "Red Hat's": {key: DEBIAN[key] for key in ("/etc/ld.so.conf", "/etc/ld.so.cache")} | {"/usr/lib64": None},
    "without a loader cache": {"/bin/app": "x"},
    "with another include": DEBIAN | {"/etc/ld.so.conf": "/opt/lib\n"},
    "with no configuration": {"/etc/ld.so.cache": DEBIAN["/etc/ld.so.cache"]},
    "musl's": {"/lib/ld-musl-x86_64.so.1": "", "/etc/ld-musl-x86_64.path": "/lib:/usr/lib\n"},
    "with links for folders": {key: value for key, value in DEBIAN.items() if not key.startswith("/usr/lib/")}
    | {"/usr/lib": Link("/data/lib"), "/data/lib": None},
    "empty": {},
}
WORK: dict[str, Any] = {
    "arch": os.uname().machine,
    "links": [
        ["libcuda.so.550.163.01", f"{LIBS}/libcuda.so.1"],
        ["libcuda.so.1", f"{LIBS}/libcuda.so"],
        ["../libnvidia-allocator.so.1", f"{LIBS}/gbm/nvidia-drm_gbm.so"],
    ],
    "loadables": [[f"{LIBS}/libcuda.so.1", 64], [f"{LIBS}/vdpau/libvdpau_nvidia.so.1", 64]],
    "compat": {"driver": "550.163.01", "cuda": "", "root": ""},
}
ARGUMENTS = hookargs.render(WORK)


def made(place: Path, tree: Tree) -> Path:
    """A root of this tree, all of it from the same hour, as a layer of an image is."""
    shutil.rmtree(place, ignore_errors=True)
    roots.make(place, {**tree, "/tmp": None})
    for top, folders, files in os.walk(place, topdown=False):
        for name in (*folders, *files, "."):
            os.utime(f"{top}/{name}", (1_000_000, 1_000_000), follow_symlinks=False)
    if (place / "etc/ld.so.cache").exists():
        os.utime(place / "etc/ld.so.cache", (2_000_000, 2_000_000))
    return place


def contents(root: Path) -> dict[str, tuple[int, str | bytes]]:
    """All that is below a root: modes, and what files and links say."""
    found: dict[str, tuple[int, str | bytes]] = {}
    for top, folders, files in os.walk(root):
        for name in (*folders, *files):
            place = Path(top, name)
            mode = place.lstat().st_mode
            said = os.readlink(place) if stat.S_ISLNK(mode) else place.read_bytes() if stat.S_ISREG(mode) else ""
            found[str(place.relative_to(root))] = (mode, said)
    return found


def by_python(root: Path, work: dict[str, Any]) -> Path:
    fd = paths.open_root(str(root))
    prepare.prepare(fd, work, (os.geteuid(), os.getegid()))
    os.close(fd)
    return root


def learn(native: Native, root: Path, arguments: list[str]) -> None:
    """Prepare a root with Python, as the hook does, and keep how."""
    fd = paths.open_root(str(root))
    work = hookargs.parse(arguments, WORK["arch"])
    keep.prepare_root(native.state, fd, work, (os.geteuid(), os.getegid()), keep.hook_work(arguments))
    os.close(fd)


@pytest.mark.parametrize("name", IMAGES)
def test_the_second_root_of_an_image_is_prepared_as_the_first_was(native: Native, name: str) -> None:
    first, second = made(native.folder / "1", IMAGES[name]), made(native.folder / "2", IMAGES[name])
    assert not native.prepare(first, *ARGUMENTS), "nobody knows how yet"
    learn(native, first, ARGUMENTS)
    assert native.prepare(second, *ARGUMENTS)
    assert contents(second) == contents(first)
    assert contents(first) != contents(made(native.folder / "3", IMAGES[name]))


def test_a_container_that_is_started_again_is_known_too(native: Native) -> None:
    first, second = made(native.folder / "1", DEBIAN), made(native.folder / "2", DEBIAN)
    learn(native, first, ARGUMENTS)
    assert native.prepare(second, *ARGUMENTS)
    before = roots.snapshot(second)
    assert not native.prepare(second, *ARGUMENTS), "it looks different now"
    learn(native, second, ARGUMENTS)
    assert native.prepare(second, *ARGUMENTS)
    assert roots.snapshot(second) == before


def test_images_of_the_same_work_do_not_drive_each_other_out(native: Native) -> None:
    trees = [DEBIAN, {**DEBIAN, "/etc/ld.so.cache": ldcache.render([])}, {}]
    for tree in trees:
        learn(native, made(native.folder / "1", tree), ARGUMENTS)
    for tree in trees:
        assert native.prepare(made(native.folder / "2", tree), *ARGUMENTS)


DIFFERENT: dict[str, Tree] = {
    "another cache of the same size": {"/etc/ld.so.cache": DEBIAN["/etc/ld.so.cache"].replace(b"libz", b"liby")},
    "a garbled cache": {"/etc/ld.so.cache": b"x" * len(DEBIAN["/etc/ld.so.cache"])},
    "one more folder of the configuration": {"/etc/ld.so.conf.d/more.conf": "/opt\n"},
    "another text in the configuration": {"/etc/ld.so.conf.d/libc.conf": "/usr/local/li2\n"},
    "an older drop-in of ours": {"/etc/ld.so.conf.d/00-linkspan.conf": "/nowhere\n"},
    "newer compatibility libraries": {
        "/usr/local/cuda/compat/libcuda.so.575.57.08": library("libcuda.so.1"),
        "/usr/local/cuda/compat/libcuda.so.1": Link("libcuda.so.575.57.08"),
    },
    "compatibility libraries of a newer note": {
        "/usr/local/cuda/compat/libcuda.so.575.57.08": library("libcuda.so.1", note=b'{"Driver":[550]}'),
    },
    "musl beside it": {"/lib/ld-musl-x86_64.so.1": ""},
    "no Debian": {"/etc/debian_version": None},
    "a link in a folder's place": {"/etc/ld.so.conf.d": Link("/elsewhere"), "/elsewhere/a.conf": "/x\n"},
}


def with_changes(changes: Tree) -> Tree:
    """Debian's tree with these on top; what stands below one of them is gone."""
    kept = {path: value for path, value in DEBIAN.items() if not any(path.startswith(f"{new}/") for new in changes)}
    return kept | changes


@pytest.mark.parametrize("name", DIFFERENT)
def test_an_image_that_differs_is_left_to_python_or_comes_out_the_same(native: Native, name: str) -> None:
    learn(native, made(native.folder / "1", DEBIAN), ARGUMENTS)
    tree = with_changes(DIFFERENT[name])
    mine, pythons = made(native.folder / "2", tree), made(native.folder / "3", tree)
    untouched = contents(mine)
    if native.prepare(mine, *ARGUMENTS):
        assert contents(mine) == contents(by_python(pythons, WORK))
    else:
        assert contents(mine) == untouched, "nothing is done before all of it is known to be right"


@pytest.mark.parametrize("names", [(), ("a.conf",)])
def test_one_name_more_in_a_folder_is_another_folder(native: Native, names: tuple[str, ...]) -> None:
    tree = {**DEBIAN, "/etc/ld.so.conf.d": None, **{f"/etc/ld.so.conf.d/{name}": "/a\n" for name in names}}
    tree = (
        {key: value for key, value in tree.items() if "conf.d/" not in key or key.endswith(names)}
        if names
        else {key: value for key, value in tree.items() if "conf.d/" not in key}
    )
    learn(native, made(native.folder / "1", tree), ARGUMENTS)
    assert native.prepare(made(native.folder / "2", tree), *ARGUMENTS)
    for more in ("0.conf", "own.conf", "zz.conf"):
        assert not native.prepare(made(native.folder / "2", {**tree, f"/etc/ld.so.conf.d/{more}": "/b\n"}), *ARGUMENTS)


def test_a_folder_changed_after_the_cache_was_made_is_looked_into(native: Native) -> None:
    learn(native, made(native.folder / "1", DEBIAN), ARGUMENTS)
    root = made(native.folder / "2", DEBIAN)
    os.utime(root / "usr/local/lib", (3_000_000, 3_000_000))
    assert not native.prepare(root, *ARGUMENTS)
    os.utime(root / "usr/local/lib", (1_500_000, 1_500_000))
    assert native.prepare(root, *ARGUMENTS)


def test_what_stands_in_the_way_of_a_link_is_replaced_and_a_folder_is_left_to_python(native: Native) -> None:
    place = f"{LIBS}/libcuda.so.1"
    learn(native, made(native.folder / "1", DEBIAN), ARGUMENTS)
    for in_the_way in ("a file", Link("/etc/passwd"), Link("libcuda.so.550.163.01")):
        root = made(native.folder / "2", {**DEBIAN, place: in_the_way})
        assert native.prepare(root, *ARGUMENTS)
        assert os.readlink(f"{root}{place}") == "libcuda.so.550.163.01"
        assert not [name for name in os.listdir(f"{root}{LIBS}") if name.startswith(".")]
    root = made(native.folder / "2", {**DEBIAN, place: None})
    assert not native.prepare(root, *ARGUMENTS)
    assert not [name for name in os.listdir(f"{root}{LIBS}") if name.startswith(".")]


def test_no_link_of_an_image_leads_out(native: Native) -> None:
    """The record is of a root that had the same links, and a folder where they lead."""
    outside = made(native.folder / "outside", {"/lib": None, "/etc": None})
    for link in (str(outside / "lib"), f"../../{'../' * 20}{outside}/lib"):
        inside = {f"{outside}/lib": None, f"{outside}/etc": None}
        tree = {"/usr": Link(link), "/etc": Link(str(outside / "etc")), **inside}
        first, second = made(native.folder / "1", tree), made(native.folder / "2", tree)
        learn(native, first, ARGUMENTS)
        assert native.prepare(second, *ARGUMENTS)
        assert sorted(contents(outside)) == ["etc", "lib", "tmp"]
        assert contents(second) == contents(first)


def test_a_step_with_dots_in_its_path_never_climbs_out(native: Native) -> None:
    """Folders that are missing are made one by one, and there ``..`` would be the parent of the root, too."""
    arguments = ["--link", "t::/missing/../../t/l"]
    (native.folder / "a").mkdir()
    (native.folder / "b").mkdir()
    learn(native, made(native.folder / "a/root", DEBIAN), arguments)
    assert not native.prepare(made(native.folder / "b/root", DEBIAN), *arguments)
    assert os.listdir(native.folder / "b") == ["root"]


def test_behind_a_link_that_leads_nowhere_python_makes_folders_inside(native: Native) -> None:
    outside = made(native.folder / "outside", {})
    tree = {"/usr": Link(str(outside / "lib"))}
    learn(native, made(native.folder / "1", tree), ARGUMENTS)
    second = made(native.folder / "2", tree)
    assert not native.prepare(second, *ARGUMENTS)
    assert sorted(contents(outside)) == ["tmp"]
    assert sorted(contents(second)) == ["tmp", "usr"]


def test_a_record_is_not_followed_through_what_waits_or_acts_when_opened(native: Native) -> None:
    learn(native, made(native.folder / "1", DEBIAN), ARGUMENTS)
    root = made(native.folder / "2", DEBIAN)
    (root / "etc/ld.so.conf").unlink()
    os.mkfifo(root / "etc/ld.so.conf")
    assert not native.prepare(root, *ARGUMENTS)


def test_the_gpus_of_a_profile_are_those_in_dev(native: Native) -> None:
    arguments = [*ARGUMENTS, "--application-profile"]
    made_roots = [made(native.folder / name, DEBIAN) for name in ("1", "2", "3")]
    try:
        for root, minor in zip(made_roots, (0, 0, 1), strict=True):
            (root / "dev").mkdir()
            os.mknod(root / f"dev/nvidia{minor}", stat.S_IFCHR | 0o666, os.makedev(195, minor))
    except PermissionError:
        pytest.skip("this user may not make device nodes")
    learn(native, made_roots[0], arguments)
    assert native.prepare(made_roots[1], *arguments)
    assert not native.prepare(made_roots[2], *arguments)
    profile = "etc/nvidia/nvidia-application-profiles-rc.d/10-container.conf"
    assert b"0x1]" in (made_roots[1] / profile).read_bytes()


@pytest.mark.parametrize("seed", range(40))
def test_roots_with_anything_changed_come_out_as_python_makes_them(native: Native, seed: int) -> None:
    chance = random.Random(seed)
    learn(native, made(native.folder / "1", DEBIAN | COMPAT), ARGUMENTS)
    tree = {**DEBIAN, **COMPAT}
    for _ in range(chance.randint(1, 3)):
        path = chance.choice(sorted(tree))
        value = chance.choice([None, "", "/x\n", Link("/etc"), Link("missing"), b"\0" * 40, "drop"])
        tree = {key: old for key, old in tree.items() if key != path and not key.startswith(f"{path}/")}
        if value != "drop":
            tree[path] = value
    mine, pythons = made(native.folder / "2", tree), made(native.folder / "3", tree)
    if native.prepare(mine, *ARGUMENTS):
        assert contents(mine) == contents(by_python(pythons, WORK))


def test_damaged_records_are_none(native: Native) -> None:
    learn(native, made(native.folder / "1", DEBIAN), ARGUMENTS)
    (file,) = (native.folder / "state/images").iterdir()
    data = file.read_bytes()
    for end in range(0, len(data), len(data) // 80):
        file.write_bytes(data[:end])
        assert not native.prepare(made(native.folder / "2", DEBIAN), *ARGUMENTS), end


def test_a_state_that_comes_late_is_waited_for(native: Native) -> None:
    learn(native, made(native.folder / "1", DEBIAN), ARGUMENTS)
    root = made(native.folder / "2", DEBIAN)
    native.path.write_text(json.dumps({"root": {"path": str(root)}}))
    command = [native.hook, "create-container", *ARGUMENTS]
    env = {"ASAN_OPTIONS": "detect_leaks=0"}
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hook:
        time.sleep(0.5)
        assert hook.poll() is None
        output, _ = hook.communicate(json.dumps({"bundle": str(native.bundle)}), timeout=20)
    assert (hook.returncode, output) == (0, "")
    assert os.path.islink(f"{root}{LIBS}/libcuda.so.1")


def test_a_state_that_the_launcher_read_in_vain_is_read_by_python_as_it_came(native: Native) -> None:
    (native.folder / "python").write_text("#!/bin/sh\ncat\n")
    state = '{"bundle": "/nowhere", "id": "c1"}'
    assert native.run("hook", "create-container", "--link", "a::/b", given=state) == state
    assert native.run("hook", "nonsense", given=state) == state
    large = state + " " * (2 << 20)
    assert native.run("hook", "create-container", given=large).startswith(state)
