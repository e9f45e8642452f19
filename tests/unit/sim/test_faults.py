import pytest

from linkspan.errors import RequestError
from linkspan.formats import ldcache, procfs
from linkspan.sim import driver_side, faults, kernel_side
from linkspan.sim.driver_side import Native
from linkspan.sim.elfwriter import shared_object
from linkspan.sim.layouts import layout
from linkspan.sim.spec import SimSpec, gpus
from linkspan.sim.tree import File, Tree

NATIVE = Native(nvml=shared_object("libnvidia-ml.so.1"), cuda=shared_object("libcuda.so.1"), smi=b"program")


def sound(spec: SimSpec) -> Tree:
    files = driver_side.tree(spec, layout(spec.layout, spec.driver_version), NATIVE)
    return {**files, **kernel_side.tree(spec, gpus(spec))}


def hurt(*names: str, count: int = 3) -> tuple[Tree, set[str]]:
    """The tree with faults, and the paths that are gone because of them."""
    spec = SimSpec(gpus=count, faults=names)
    tree = sound(spec)
    before = set(tree)
    faults.apply(tree, spec, gpus(spec))
    return tree, before - set(tree)


def text(tree: Tree, path: str) -> str:
    entry = tree[path]
    assert isinstance(entry, File)
    return entry.data.decode()


def test_a_mismatch_leaves_the_module_behind_the_libraries() -> None:
    tree, gone = hurt("driver-mismatch")
    assert procfs.driver_version(text(tree, "/proc/driver/nvidia/version")).version == "550.162.01"
    assert text(tree, "/sys/module/nvidia/version") == "550.162.01\n"
    assert not gone
    assert faults.effects(SimSpec(faults=("driver-mismatch",))).mismatched


@pytest.mark.parametrize("name", ["unloaded", "nouveau"])
def test_without_the_module_its_nodes_and_proc_files_are_gone(name: str) -> None:
    tree, _ = hurt(name)
    assert not [path for path in tree if path.startswith(("/dev/nvidia", "/proc/driver", "/sys/module"))]
    assert "nvidia" not in procfs.devices(text(tree, "/proc/devices"))
    loaded = [module.name for module in procfs.modules(text(tree, "/proc/modules"))]
    assert loaded == ["nouveau"] * (name == "nouveau")


def test_nodes_can_be_missing_while_the_module_is_loaded() -> None:
    tree, gone = hurt("no-nodes")
    assert all(path.startswith("/dev/nvidia") for path in gone)
    assert "/proc/driver/nvidia/version" in tree


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("no-uvm", {"/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"}),
        ("missing-node", {"/dev/nvidia0"}),
        ("missing-node=2", {"/dev/nvidia2"}),
        ("lost-gpu=1", set()),
        ("stale-cache", set()),
        ("leftover", set()),
    ],
)
def test_a_fault_takes_away_what_it_says_and_no_more(name: str, missing: set[str]) -> None:
    assert hurt(name)[1] == missing


@pytest.mark.parametrize(("name", "stem"), [("no-libcuda", "libcuda.so"), ("no-nvml", "libnvidia-ml.so")])
def test_a_library_can_be_missing_with_all_its_links(name: str, stem: str) -> None:
    tree, gone = hurt(name)
    assert gone and all(path.rpartition("/")[2].startswith(stem) for path in gone)
    assert not [path for path in tree if path.rpartition("/")[2].startswith(stem)]


def test_a_stale_cache_knows_no_library_of_the_driver() -> None:
    cache = hurt("stale-cache")[0]["/etc/ld.so.cache"]
    assert isinstance(cache, File)
    assert ldcache.parse(cache.data) == []


def test_leftover_libraries_are_of_the_version_before() -> None:
    tree, _ = hurt("leftover")
    assert {path.rpartition("/")[2] for path in tree if "550.162.01" in path} == {
        "libcuda.so.550.162.01",
        "libnvidia-ml.so.550.162.01",
    }


def test_a_lost_gpu_is_told_to_the_simulated_library_by_its_index() -> None:
    assert faults.effects(SimSpec(gpus=3, faults=("lost-gpu", "lost-gpu=2"))).lost == {0, 2}


def test_faults_add_up() -> None:
    assert hurt("no-uvm", "missing-node=1")[1] == {"/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia1"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gremlins", "no fault gremlins"),
        ("no-uvm=1", "the fault no-uvm is of the whole host and takes no '1'"),
        ("lost-gpu=3", "the fault lost-gpu=3 is of no GPU of this host"),
        ("lost-gpu=", "the fault lost-gpu= is of no GPU of this host"),
        ("lost-gpu=x", "the fault lost-gpu=x is of no GPU of this host"),
    ],
)
def test_what_is_no_fault_is_refused(name: str, message: str) -> None:
    with pytest.raises(RequestError) as refusal:
        hurt(name)
    assert refusal.value.message == message


def test_what_is_not_there_cannot_go_missing() -> None:
    with pytest.raises(RequestError, match="cannot go missing"):
        hurt("no-uvm", "no-uvm")
