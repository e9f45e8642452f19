import pytest

from linkspan.facts.host import Search
from linkspan.facts.model import Link
from linkspan.formats import ldcache
from tests import hosts
from tests.hosts import LIBRARIES, driver, library

V = "550.163.01"


def names(facts):
    return [item.name for item in facts.libraries]


@pytest.mark.parametrize(
    "folder",
    [
        "/usr/lib64",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu/nvidia/current",
        "/usr/lib/aarch64-linux-gnu",
        "/lib64",
        "/home/kubernetes/bin/nvidia/lib64",
        "/var/lib/nvidia/lib64",
    ],
)
def test_a_driver_is_found_in_each_well_known_folder(tmp_path, folder):
    facts = hosts.look(hosts.make(tmp_path, driver(V, folder)))
    assert names(facts) == [f"libcuda.so.{V}", f"libnvidia-ml.so.{V}"]
    assert facts.library_folders == (folder,)
    assert facts.driver.readings == {"library": V}
    cuda = facts.libraries[0]
    assert (cuda.path, cuda.host_path) == (f"{folder}/libcuda.so.{V}", f"{tmp_path}{folder}/libcuda.so.{V}")
    assert (cuda.soname, cuda.bits, cuda.folder) == ("libcuda.so.1", 64, folder)
    assert cuda.links == (Link(path=f"{folder}/libcuda.so.1", target=f"libcuda.so.{V}"),)


def test_a_merged_usr_shows_each_library_once_at_its_real_place(tmp_path):
    facts = hosts.look(hosts.make(tmp_path, {**driver(V, "/usr/lib64"), "/lib64": "-> usr/lib64"}))
    assert facts.library_folders == ("/usr/lib64",)
    assert len(facts.libraries) == 2


def test_nixos_libraries_are_those_in_the_store(tmp_path):
    store = "/nix/store/abc-nvidia-x11/lib"
    hosts.make(tmp_path, driver(V, store))
    farm = "/nix/store/def-graphics-drivers/lib"
    hosts.make(tmp_path, {"/run/opengl-driver": "-> /nix/store/def-graphics-drivers"})
    for name in (f"libcuda.so.{V}", f"libnvidia-ml.so.{V}", "libcuda.so.1"):
        hosts.make(tmp_path, {f"{farm}/{name}": f"-> {store}/{name}"})
    facts = hosts.look(tmp_path)
    assert facts.library_folders == (store,)
    assert [item.path for item in facts.libraries] == [f"{store}/libcuda.so.{V}", f"{store}/libnvidia-ml.so.{V}"]
    assert facts.libraries[0].links == (Link(path=f"{store}/libcuda.so.1", target=f"libcuda.so.{V}"),)


def test_debian_alternatives_lead_to_the_files_behind_them(tmp_path):
    current = f"{LIBRARIES}/nvidia/current"
    hosts.make(
        tmp_path,
        {
            **driver(V, current),
            f"{LIBRARIES}/libcuda.so.1": "-> /etc/alternatives/nvidia--libcuda.so.1",
            "/etc/alternatives/nvidia--libcuda.so.1": f"-> {current}/libcuda.so.1",
        },
    )
    facts = hosts.look(tmp_path)
    assert facts.library_folders == (current,)
    assert facts.libraries[0].path == f"{current}/libcuda.so.{V}"


def test_a_folder_of_its_own_is_found_by_the_loader_cache(tmp_path):
    entry = ("libcuda.so.1", "/opt/driver/libcuda.so.1", ldcache.flags_for(62, 64), 0, 0)
    hosts.make(tmp_path, {**driver(V, "/opt/driver"), "/etc/ld.so.cache": ldcache.render([entry])})
    assert hosts.look(tmp_path).library_folders == ("/opt/driver",)


def test_a_broken_loader_cache_is_a_missing_part(tmp_path):
    facts = hosts.look(hosts.make(tmp_path, {**driver(V), "/etc/ld.so.cache": "not a cache"}))
    assert len(facts.libraries) == 2
    assert any(item.part == "ld.so.cache" and "/etc/ld.so.cache" in item.reason for item in facts.missing)


def test_named_search_paths_replace_the_usual_folders(tmp_path):
    hosts.make(tmp_path, {**driver(V), **driver("560.35.03", "/opt/lib")})
    facts = hosts.look(tmp_path, search=Search(root=str(tmp_path), library_search_paths=("/opt/lib",)))
    assert facts.library_folders == ("/opt/lib",)
    assert facts.driver.version == "560.35.03"


def test_all_that_belongs_to_the_driver_is_taken_and_nothing_else(tmp_path):
    wanted = [
        f"{LIBRARIES}/libnvidia-glcore.so.{V}",
        f"{LIBRARIES}/libnvidia-nvvm70.so.4",
        f"{LIBRARIES}/libnvidia-egl-gbm.so.1.1.2",
        f"{LIBRARIES}/vdpau/libvdpau_nvidia.so.{V}",
        f"{LIBRARIES}/nvidia/xorg/nvidia_drv.so",
        f"/usr/lib/xorg/modules/extensions/libglxserver_nvidia.so.{V}",
    ]
    others = [f"{LIBRARIES}/libc.so.6", f"{LIBRARIES}/libnvidia-glcore.so.535.54.03", f"{LIBRARIES}/libcudart.so.12.1"]
    hosts.make(tmp_path, {**driver(V), **{path: library(path.rpartition("/")[2]) for path in (*wanted, *others)}})
    facts = hosts.look(tmp_path)
    assert {item.path for item in facts.libraries} == {
        *wanted,
        f"{LIBRARIES}/libcuda.so.{V}",
        f"{LIBRARIES}/libnvidia-ml.so.{V}",
    }
    assert facts.library_folders == (LIBRARIES,)


def test_glvnd_libraries_come_last_and_only_along_with_a_driver(tmp_path):
    glvnd = {f"{LIBRARIES}/libEGL.so.1.1.0": library("libEGL.so.1"), f"{LIBRARIES}/libEGL.so.1": "-> libEGL.so.1.1.0"}
    alone = hosts.make(tmp_path / "alone", glvnd)
    assert hosts.look(alone).libraries == ()
    both = hosts.make(tmp_path / "both", {**glvnd, **driver(V)})
    assert names(hosts.look(both)) == [f"libcuda.so.{V}", f"libnvidia-ml.so.{V}", "libEGL.so.1.1.0"]


def test_widths_are_told_by_the_files_and_first_folders_win(tmp_path):
    hosts.make(
        tmp_path,
        {**driver(V, "/usr/lib64"), **driver(V, "/usr/lib", bits=32), **driver(V, "/var/lib/nvidia/lib64")},
    )
    facts = hosts.look(tmp_path)
    assert [(item.folder, item.bits) for item in facts.libraries] == [
        ("/usr/lib64", 64),
        ("/usr/lib64", 64),
        ("/usr/lib", 32),
        ("/usr/lib", 32),
    ]
    assert facts.library_folders == ("/usr/lib64",)


def test_a_file_that_is_no_elf_keeps_its_place_without_a_soname(tmp_path):
    hosts.make(tmp_path, {f"/usr/lib/i386-linux-gnu/libcuda.so.{V}": "junk", f"{LIBRARIES}/libcuda.so.{V}": "junk"})
    facts = hosts.look(tmp_path)
    assert [(item.folder, item.soname, item.bits) for item in facts.libraries] == [
        (LIBRARIES, "", 64),
        ("/usr/lib/i386-linux-gnu", "", 32),
    ]
    assert any(item.part == f"SONAME of {LIBRARIES}/libcuda.so.{V}" for item in facts.missing)


def test_the_link_that_gbm_goes_by_is_among_the_links_of_the_allocator(tmp_path):
    allocator = f"libnvidia-allocator.so.{V}"
    hosts.make(
        tmp_path,
        {
            **driver(V),
            f"{LIBRARIES}/{allocator}": library("libnvidia-allocator.so.1"),
            f"{LIBRARIES}/libnvidia-allocator.so.1": f"-> {allocator}",
            f"{LIBRARIES}/nvidia-drm_gbm.so": "-> libnvidia-allocator.so.1",
        },
    )
    (found,) = (item for item in hosts.look(tmp_path).libraries if item.name == allocator)
    assert [(link.path, link.target) for link in found.links] == [
        (f"{LIBRARIES}/libnvidia-allocator.so.1", allocator),
        (f"{LIBRARIES}/nvidia-drm_gbm.so", "libnvidia-allocator.so.1"),
    ]


def test_of_two_drivers_on_disk_the_loaded_one_counts(tmp_path):
    kernel = {"/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54.03  Tue\n"}
    hosts.make(tmp_path, {**kernel, **driver("535.54.03"), f"{LIBRARIES}/libcuda.so.{V}": library("libcuda.so.1")})
    facts = hosts.look(tmp_path)
    assert facts.driver.readings == {"proc": "535.54.03", "library": "535.54.03"}
    assert names(facts) == ["libcuda.so.535.54.03", "libnvidia-ml.so.535.54.03"]


def test_without_a_loaded_driver_the_link_that_programs_use_decides(tmp_path):
    hosts.make(tmp_path, {**driver("535.54.03"), f"{LIBRARIES}/libcuda.so.{V}": library("libcuda.so.1")})
    assert hosts.look(tmp_path).driver.version == "535.54.03"


def test_without_any_link_the_newest_driver_counts_by_number(tmp_path):
    tree = {f"{LIBRARIES}/libcuda.so.{version}": library("libcuda.so.1") for version in ("99.1", "535.54", "1000.1")}
    assert hosts.look(hosts.make(tmp_path, tree)).driver.version == "1000.1"


def test_a_half_finished_update_is_a_conflict_and_carries_no_libraries(tmp_path):
    kernel = {"/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54.03  Tue\n"}
    egl = {f"{LIBRARIES}/libnvidia-egl-gbm.so.1.1.2": library("libnvidia-egl-gbm.so.1")}
    facts = hosts.look(hosts.make(tmp_path, {**kernel, **driver(V), **egl}))
    assert facts.driver.version == "535.54.03"
    assert V in facts.driver.conflict
    assert facts.libraries == ()
    assert any(item.part == "libcuda" and not item.optional for item in facts.missing)


def test_the_version_of_a_tegra_library_is_no_driver_version(tmp_path):
    hosts.make(tmp_path, {f"{LIBRARIES}/libcuda.so.1.1": library("libcuda.so.1")})
    assert hosts.look(tmp_path).driver.version == ""
