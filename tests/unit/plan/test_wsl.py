import pytest

from linkspan.errors import DeviceNotFound, RequirementError
from linkspan.facts.model import Driver, File
from linkspan.plan.injection import inject
from linkspan.plan.model import DeviceRequest, Policy
from linkspan.plan.requirements import parse
from tests.unit.plan.hosts import changed, gpu, host, library, node

STORE = "/usr/lib/wsl/drivers/nv_dispi.inf_amd64_1"
FACTS = changed(
    host(gpu(0), gpu(1)),
    platform="wsl",
    driver=Driver(version="552.22", cuda_version="12.4"),
    devices=(node("/dev/dxg", 63, 10),),
    libraries=(
        library("libdxcore.so", "libdxcore.so", folder="/usr/lib/wsl/lib"),
        library("libcuda.so.1.1", "libcuda.so.1", folder=STORE),
        library("libnvidia-ml.so.1", "libnvidia-ml.so.1", folder=STORE),
    ),
    wsl_store=STORE,
    binaries=(File(path=f"{STORE}/nvidia-smi", host_path=f"{STORE}/nvidia-smi"),),
    folders=(File(path=f"{STORE}/nvcubins.bin", host_path=f"{STORE}/nvcubins.bin"),),
)


def give(*devices, facts=FACTS, **request):
    return inject(facts, DeviceRequest(devices=devices, **request), Policy())


@pytest.mark.parametrize("asked", [("all",), ("1",), (FACTS.gpus[0].uuid, "1")])
def test_every_gpu_is_reached_through_the_one_node(asked):
    assert [found.path for found in give(*asked).devices] == ["/dev/dxg"]


def test_none_has_the_driver_and_no_node():
    injection = give("none")
    assert injection.devices == ()
    assert injection.env == ("NVCT_EMPTY_DEVICE=", "NVIDIA_VISIBLE_DEVICES=void")
    assert injection.mounts


def test_files_follow_the_capabilities():
    found = {mount.container_path.rpartition("/")[2] for mount in give("all", capabilities=("utility",)).mounts}
    assert found == {"libdxcore.so", "libnvidia-ml.so.1", "nvidia-smi"}
    links = give("all", capabilities=("compute",)).links
    assert [link.path for link in links] == [f"{STORE}/libcuda.so.1", f"{STORE}/libcuda.so"]


def test_a_gpu_that_does_not_exist_is_refused():
    with pytest.raises(DeviceNotFound):
        give("2")


def test_where_nvml_knows_no_gpu_only_all_and_0_can_be_asked_for():
    facts = changed(FACTS, gpus=())
    assert give("0", facts=facts).devices
    with pytest.raises(DeviceNotFound, match="there is only the one device 'all'"):
        give("1", facts=facts)


def test_requirements_are_checked():
    with pytest.raises(RequirementError):
        give("all", requirements=(parse("NVIDIA_REQUIRE_CUDA", "cuda>=13"),))
