import json
import os
import platform

import pytest

from linkspan.formats import elf, ldcache
from linkspan.sim import driver_side
from linkspan.sim.driver_side import Native
from linkspan.sim.elfwriter import shared_object
from linkspan.sim.layouts import layout
from linkspan.sim.spec import SimSpec
from linkspan.sim.tree import File, Folder, Link, Socket, Tree

GOLDEN = os.path.join(os.path.dirname(__file__), "../../golden/h100x8-550/host.json")
NATIVE = Native(nvml=shared_object("libnvidia-ml.so.1"), cuda=shared_object("libcuda.so.1"), smi=b"program")
LIBRARIES = f"/usr/lib/{platform.machine()}-linux-gnu"


def tree(spec: SimSpec) -> Tree:
    return driver_side.tree(spec, layout(spec.layout, spec.driver_version), NATIVE)


def soname(entry: object) -> str:
    assert isinstance(entry, File)
    return elf.read(lambda offset, length: entry.data[offset : offset + length], len(entry.data)).soname


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the recorded host is an x86_64 machine")
def test_a_debian_host_has_the_files_of_the_recorded_one() -> None:
    simulated = tree(SimSpec(gpus=8, driver="550.163.01"))
    with open(GOLDEN, encoding="utf-8") as file:
        recorded = [entry for entry in json.load(file) if entry["type"] != "char"]
    ours = {"/etc/os-release"}  # beside the driver's files
    theirs = {"/usr/bin/script"}  # not the driver's
    assert simulated.keys() - ours == {entry["path"] for entry in recorded} - theirs
    for entry in recorded:
        found = simulated.get(entry["path"])
        if entry["type"] == "symlink":
            assert found == Link(entry["target"])
        elif isinstance(found, File):
            assert oct(found.mode) == entry["mode"]
        if "soname" in entry:
            assert soname(found) == entry["soname"]


def test_the_compiled_files_are_where_the_real_ones_would_be() -> None:
    found = tree(SimSpec())
    assert found[f"{LIBRARIES}/libnvidia-ml.so.550.163.01"] == File(NATIVE.nvml)
    assert found[f"{LIBRARIES}/libcuda.so.550.163.01"] == File(NATIVE.cuda)
    assert found["/usr/bin/nvidia-smi"] == File(NATIVE.smi, 0o755)


def test_the_cache_finds_libraries_by_every_name_and_in_both_widths() -> None:
    cache = tree(SimSpec(compat32=True))["/etc/ld.so.cache"]
    assert isinstance(cache, File)
    entries = {(name, path): flags for name, path, flags, _, _ in ldcache.parse(cache.data)}
    for name in ("libcuda.so", "libcuda.so.1", "libnvidia-glcore.so.550.163.01"):
        assert entries[name, f"{LIBRARIES}/{name}"] & ldcache.FLAG_ELF_LIBC6
    assert entries["libcuda.so.1", "/usr/lib/i386-linux-gnu/libcuda.so.1"] == ldcache.FLAG_ELF_LIBC6
    assert not [name for name, _ in entries if "vdpau" in name or not name.startswith("lib")]


def test_32_bit_libraries_are_there_only_where_they_are_asked_for_and_exist() -> None:
    folder = "/usr/lib/i386-linux-gnu"
    assert not [path for path in tree(SimSpec()) if path.startswith(folder)]
    found = tree(SimSpec(compat32=True))
    assert soname(found[f"{folder}/libcuda.so.550.163.01"]) == "libcuda.so.1"
    assert f"{folder}/libnvoptix.so.1" not in found


@pytest.mark.parametrize(
    ("name", "library", "has_cache"),
    [
        ("debian", f"{LIBRARIES}/libcuda.so.1", True),
        ("rhel", "/usr/lib64/libcuda.so.1", True),
        ("cos", "/home/kubernetes/bin/nvidia/lib64/libcuda.so.1", False),
    ],
)
def test_layouts_put_the_files_where_the_distribution_does(name: str, library: str, has_cache: bool) -> None:
    found = tree(SimSpec(layout=name))  # type: ignore[arg-type]  # a parameter is any text
    assert found[library] == Link("libcuda.so.550.163.01")
    assert ("/etc/ld.so.cache" in found) == has_cache


def test_nixos_has_everything_in_the_store_and_links_to_it() -> None:
    found = tree(SimSpec(layout="nixos"))
    link = found["/run/opengl-driver"]
    assert isinstance(link, Link)
    assert link.target.startswith("/nix/store/")
    assert f"{link.target}/lib/libcuda.so.1" in found
    assert f"{link.target}/bin/nvidia-smi" in found


def test_options_add_their_files() -> None:
    found = tree(SimSpec(sockets=True, nvswitches=2, gds=True))
    assert found["/run/nvidia-persistenced/socket"] == Socket()
    assert found["/run/nvidia-fabricmanager/socket"] == Socket()
    assert found["/run/udev"] == Folder()
    assert "/etc/cufile.json" in found
