import pytest

from linkspan.errors import RequestError
from linkspan.plan.capabilities import admits, granted, hook_default, read_capabilities
from linkspan.plan.model import CAPABILITIES, DeviceRequest, Policy

LIB = "/usr/lib/x86_64-linux-gnu"


def names_of(paths, *capabilities):
    return {path for path in paths if admits(path, capabilities)}


def test_a_list_is_trimmed_put_in_order_and_freed_of_repeats():
    assert read_capabilities(" utility , compute,,utility", CAPABILITIES) == ("compute", "utility")


@pytest.mark.parametrize("text", ["", " , "])
def test_a_list_without_a_name_says_nothing(text):
    assert read_capabilities(text, CAPABILITIES) is None


def test_all_is_what_the_configuration_supports():
    assert read_capabilities("compute,all", ("compute", "utility")) == ("compute", "utility")


@pytest.mark.parametrize("text", ["banana", "all,banana", "compute,banana", "Banana\n"])
def test_an_unknown_name_is_refused_with_the_known_ones(text):
    with pytest.raises(RequestError) as caught:
        read_capabilities(text, CAPABILITIES)
    assert "anana" in caught.value.message
    assert "does not exist" in caught.value.message
    assert all(name in caught.value.hint for name in CAPABILITIES)


def test_a_name_that_the_configuration_does_not_support_is_refused():
    with pytest.raises(RequestError, match='"video", which is not supported') as caught:
        read_capabilities("compute,video", ("utility", "compute"))
    assert "compute, utility" in caught.value.hint


def test_nothing_said_is_all_that_is_supported_but_32_bit_libraries():
    assert granted(DeviceRequest(), Policy()) == set(CAPABILITIES) - {"compat32"}
    assert granted(DeviceRequest(), Policy(supported_capabilities=("utility",))) == {"utility"}


def test_what_is_named_is_granted():
    assert granted(DeviceRequest(capabilities=("compat32", "compute")), Policy()) == {"compat32", "compute"}


def test_the_hook_grants_utility_and_compute_but_a_legacy_image_all():
    assert hook_default(("video", "utility", "compute"), legacy_image=False) == ("compute", "utility")
    assert hook_default(("video", "utility"), legacy_image=True) == ("utility", "video")


@pytest.mark.parametrize(
    ("name", "capabilities"),
    [
        (f"{LIB}/libnvidia-ml.so.550.163.01", {"utility"}),
        ("/usr/bin/nvidia-smi", {"utility"}),
        ("/run/nvidia-persistenced/socket", {"utility"}),
        (f"{LIB}/libcuda.so.550.163.01", {"compute", "video"}),
        (f"{LIB}/libnvidia-nvvm70.so.4", {"compute", "video"}),
        ("/usr/bin/nvidia-cuda-mps-server", {"compute"}),
        ("/tmp/nvidia-mps", {"compute", "video"}),
        ("/etc/OpenCL/vendors/nvidia.icd", {"compute", "video"}),
        ("/dev/nvidia-uvm-tools", {"compute", "video"}),
        (f"{LIB}/vdpau/libvdpau_nvidia.so.550.163.01", {"video"}),
        (f"{LIB}/libEGL_nvidia.so.0", {"graphics", "display"}),
        (f"{LIB}/libnvidia-egl-gbm.so.1.1.2", {"graphics", "display"}),
        (f"{LIB}/libGLX_indirect.so.0", {"graphics", "display"}),
        ("/etc/vulkan/icd.d/nvidia_icd.json", {"graphics", "display"}),
        ("/usr/share/egl/egl_external_platform.d/15_nvidia_gbm.json", {"graphics", "display"}),
        ("/dev/nvidia-modeset", {"graphics", "display"}),
        ("/dev/dri/renderD128", {"graphics", "display"}),
        (f"{LIB}/libnvidia-allocator.so.550.163.01", {"compute", "video", "graphics", "display"}),
        (f"{LIB}/libnvidia-ngx.so.1", {"ngx"}),
        (f"{LIB}/libnvidia-next-thing.so.999.1", {"compute", "display", "graphics", "ngx", "video"}),
        ("/usr/bin/nvidia-imex", {"compute", "display", "graphics", "ngx", "video"}),
        ("/lib/firmware/nvidia/550.163.01/gsp_ga10x.bin", set(CAPABILITIES)),
        ("/dev/nvidia0", set(CAPABILITIES)),
        ("/dev/nvidia-caps/nvidia-cap3", set(CAPABILITIES)),
        ("/usr/lib/wsl/lib/libdxcore.so", set(CAPABILITIES)),
    ],
)
def test_each_file_and_node_belongs_to_its_capabilities(name, capabilities):
    assert {item for item in CAPABILITIES if admits(name, [item])} == capabilities
