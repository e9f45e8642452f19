import pytest

from linkspan.formats import procfs
from linkspan.sim import kernel_side
from linkspan.sim.spec import SimSpec, gpus
from linkspan.sim.tree import File, Link, Node, Tree


def tree(spec: SimSpec) -> Tree:
    return kernel_side.tree(spec, gpus(spec))


def text(found: Tree, path: str) -> str:
    entry = found[path]
    assert isinstance(entry, File)
    return entry.data.decode()


def nodes(found: Tree) -> dict[str, tuple[int, int]]:
    return {path: (entry.major, entry.minor) for path, entry in found.items() if isinstance(entry, Node)}


def test_a_plain_host_has_the_nodes_of_its_gpus_and_the_control_nodes() -> None:
    assert nodes(tree(SimSpec(gpus=2))) == {
        "/dev/nvidiactl": (195, 255),
        "/dev/nvidia-modeset": (195, 254),
        "/dev/nvidia-uvm": (510, 0),
        "/dev/nvidia-uvm-tools": (510, 1),
        "/dev/nvidia0": (195, 0),
        "/dev/nvidia1": (195, 1),
    }


@pytest.mark.parametrize("is_open", [False, True])
def test_the_version_file_reads_as_the_drivers_does(is_open: bool) -> None:
    found = procfs.driver_version(text(tree(SimSpec(open_modules=is_open)), "/proc/driver/nvidia/version"))
    assert found == ("550.163.01", is_open)


@pytest.mark.parametrize(("driver", "name"), [("535.261.03", "nvidia-frontend"), ("550.163.01", "nvidia")])
def test_every_node_has_its_major_in_proc_devices(driver: str, name: str) -> None:
    found = tree(
        SimSpec(
            driver=driver,
            mig=("1g.10gb",),
            drm=True,
            gds=True,
            gdrcopy=True,
            infiniband=True,
            imex_channels=2,
            nvswitches=4,
        )
    )
    majors = procfs.devices(text(found, "/proc/devices"))
    assert majors[name] == 195
    assert {major for major, _ in nodes(found).values()} <= set(majors.values())


def test_loaded_modules_name_their_users() -> None:
    modules = dict(procfs.modules(text(tree(SimSpec(drm=True)), "/proc/modules")))
    assert modules["nvidia_modeset"] == ("nvidia_drm",)
    assert set(modules["nvidia"]) == set(modules) - {"nvidia"}


def test_each_gpu_has_its_information_and_its_pci_device() -> None:
    found = tree(SimSpec(gpus=2, shuffled_minors=True))
    information = procfs.gpu_information(text(found, "/proc/driver/nvidia/gpus/0000:1a:00.0/information"))
    assert information["Device Minor"] == "1"
    assert information["GPU UUID"] == "GPU-01000100-0000-0000-0000-000000000000"
    assert information["Bus Location"] == "0000:1a:00.0"
    assert text(found, "/sys/bus/pci/devices/0000:1b:00.0/vendor") == "0x10de\n"
    assert text(found, "/sys/bus/pci/devices/0000:1b:00.0/device") == "0x2330\n"


def test_the_drivers_user_space_may_make_nodes() -> None:
    assert procfs.params(text(tree(SimSpec()), "/proc/driver/nvidia/params"))["ModifyDeviceFiles"] == "1"


def test_mig_capabilities_have_nodes_that_mig_minors_and_their_access_files_name() -> None:
    found = tree(SimSpec(gpus=2, mig=("3g.40gb",)))
    minors = procfs.mig_minors(text(found, "/proc/driver/nvidia-caps/mig-minors"))
    assert (minors["config"], minors["monitor"], minors["gpu1/gi2/ci0/access"]) == (1, 2, 157)
    for name in ("gpu0/mig/gi1/access", "gpu1/mig/gi2/ci0/access", "mig/config"):
        access = procfs.params(text(found, f"/proc/driver/nvidia/capabilities/{name}"))
        minor = minors[name.replace("mig/", "")]
        assert access["DeviceFileMinor"] == str(minor)
        assert found[f"/dev/nvidia-caps/nvidia-cap{minor}"] == Node(511, minor, 0o444)


def test_mig_minors_lists_gpus_that_the_host_does_not_have() -> None:
    minors = procfs.mig_minors(text(tree(SimSpec()), "/proc/driver/nvidia-caps/mig-minors"))
    assert minors["gpu31/gi14/ci7/access"] == len(minors) == 4322


def test_a_model_without_mig_has_no_capabilities() -> None:
    assert not [path for path in tree(SimSpec(model="T4")) if "caps" in path or "capabilities" in path]


def test_drm_nodes_have_links_by_their_pci_address() -> None:
    found = tree(SimSpec(gpus=2, drm=True))
    assert found["/dev/dri/card2"] == Node(226, 2)
    assert found["/dev/dri/renderD129"] == Node(226, 129)
    assert found["/dev/dri/by-path/pci-0000:1b:00.0-card"] == Link("../card2")
    assert found["/dev/dri/by-path/pci-0000:1b:00.0-render"] == Link("../renderD129")
    assert "/sys/bus/pci/devices/0000:1b:00.0/drm/renderD129/dev" in found


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        (SimSpec(gds=True), {f"/dev/nvidia-fs{unit}" for unit in range(16)}),
        (SimSpec(gdrcopy=True), {"/dev/gdrdrv"}),
        (SimSpec(infiniband=True), {"/dev/infiniband/uverbs0", "/dev/infiniband/uverbs1", "/dev/infiniband/rdma_cm"}),
        (SimSpec(imex_channels=1), {"/dev/nvidia-caps-imex-channels/channel0"}),
        (SimSpec(nvswitches=1), {"/dev/nvidia-nvswitch0", "/dev/nvidia-nvswitchctl"}),
    ],
)
def test_an_option_adds_its_nodes_and_no_others(spec: SimSpec, paths: set[str]) -> None:
    assert nodes(tree(spec)).keys() - nodes(tree(SimSpec())).keys() == paths
