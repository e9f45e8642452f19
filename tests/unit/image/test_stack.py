"""What an image has of CUDA and frameworks."""

import pytest

from linkspan.check.cuda_names import cuda_major, first_cuda, last_cuda
from linkspan.image.distributions import read
from linkspan.image.gpu_code import capability, code_for, is_ptx_only
from linkspan.image.stack import stack
from tests.unit.image.images import SITE, TOOLKIT, cudart, image, library, link, text, wheel


def test_all_kinds_of_parts_are_found_with_their_versions_and_cuda():
    whole = image(
        cudart("12.4.127"),
        library("/usr/lib/x86_64-linux-gnu/libcudnn.so.9.1.0", soname="libcudnn.so.9"),
        library("/usr/lib/x86_64-linux-gnu/libnccl.so.2.21.5", soname="libnccl.so.2"),
        library("/usr/lib/x86_64-linux-gnu/libnvinfer.so.10.3.0", soname="libnvinfer.so.10"),
        library("/opt/ort/libonnxruntime.so.1.19.2", soname="libonnxruntime.so.1"),
        library("/opt/tritonserver/bin/tritonserver"),
        *(wheel(name, "1.2.3") for name in ("torch", "tensorflow", "jaxlib", "triton", "tritonclient", "vllm")),
        wheel("cupy-cuda12x", "13.3.0"),
        env=("TRITON_SERVER_VERSION=2.50.0",),
    )
    found = {part.key: (part.version, part.cuda) for part in stack(whole).parts}
    assert found == {
        "cudart": ("12.4.127", 12),
        "cudnn": ("9.1.0", 0),
        "nccl": ("2.21.5", 0),
        "tensorrt": ("10.3.0", 0),
        "onnxruntime": ("1.19.2", 0),
        "triton-server": ("2.50.0", 0),
        **dict.fromkeys(("torch", "tensorflow", "jax", "triton", "triton-client", "vllm"), ("1.2.3", 0)),
        "cupy": ("13.3.0", 12),
    }


def test_the_newest_runtime_comes_first_and_one_without_a_version_last():
    vague = library("/opt/app/libcudart.so.11.0", soname="libcudart.so.11.0")
    found = stack(image(vague, cudart("12.4.127"), wheel("nvidia-cuda-runtime", "13.0.96")))
    assert [(part.version, part.cuda) for part in found.runtimes] == [("13.0.96", 13), ("12.4.127", 12), ("", 11)]
    assert found.cuda == "13.0.96"


def test_the_wheel_of_cuda_13_that_no_file_is_called_after_tells_the_release():
    found = stack(image(library(f"{SITE}/nvidia/cu13/lib/libcudart.so.13"), wheel("nvidia-cuda-runtime", "13.0.96")))
    assert (found.release, found.system_release) == ("13.0", "")


def test_what_only_links_with_cuda_tells_its_major_version():
    provider = library(f"{SITE}/onnxruntime/capi/libonnxruntime_providers_cuda.so", "libcublas.so.13")
    found = stack(image(provider))
    assert (found.cuda, found.release, found.uses_cuda, found.is_cuda_image) == ("13", "", True, False)


def test_the_folder_of_a_toolkit_tells_the_release_of_a_runtime_without_a_number():
    assert stack(image(library("/usr/local/cuda-11.7/lib64/libcudart.so.11.0"))).system_release == "11.7"


@pytest.mark.parametrize(
    ("name", "version", "cuda"),
    [
        ("nvidia-cublas-cu12", "12.4.5.8", 12),
        ("nvidia-cublas", "13.1.0.3", 13),
        ("nvidia-cufft", "12.0.0.61", 13),
        ("nvidia-cuda-runtime", "13.0.96", 13),
        ("nvidia-nccl-cu11", "2.14.3", 11),
    ],
)
def test_a_package_tells_its_cuda_by_its_name(name, version, cuda):
    (part,) = stack(image(wheel(name, version))).parts
    assert part.cuda == cuda


def test_packages_that_only_sound_like_cuda_are_no_parts():
    assert not stack(image(wheel("nvidia-ml-py", "12.0.0"), wheel("torchmetrics", "1.0"))).parts


def test_stubs_and_links_are_no_parts():
    stub = library(f"{TOOLKIT}/stubs/libcublas.so.12", soname="libcublas.so.12")
    assert not stack(image(stub, link(f"{TOOLKIT}/libcudart.so.12", "libcudart.so.12.4.127"))).parts


def test_a_package_pins_what_it_asks_for_on_linux_without_extras():
    (found,) = read(
        image(
            wheel(
                "Torch",
                "2.4.1+cu121",
                'nvidia_cudnn.cu12==9.1.0.70; platform_system == "Linux"',
                "sympy (==1.13)",
                "numpy>=1",
                'pywin32==3; sys_platform == "win32"',
                'extra==1; extra == "all"',
            )
        )
    )
    assert (found.name, found.numbers, found.local, found.site) == ("torch", (2, 4, 1), "cu121", SITE)
    assert found.pins == {"nvidia-cudnn-cu12": "9.1.0.70", "sympy": "1.13"}


@pytest.mark.parametrize("content", ["", "Version: \n", "Version: " + "9" * 5000, "Requires-Dist: ((((==\n" * 1000])
def test_hostile_metadata_is_borne(content):
    broken = image(text(f"{SITE}/nvidia_cuda_runtime_cu12-x.dist-info/METADATA", content))
    assert stack(broken).runtimes[0].cuda == 12
    assert isinstance(stack(broken).cuda, str)


@pytest.mark.parametrize(
    ("name", "major"),
    [
        ("libcudart.so.11.0", 11),
        ("libcufft.so.11", 12),
        ("libcufft.so.10", 11),
        ("libcurand.so.10", 0),
        ("libcusparse.so.12", 0),
        ("libnvrtc.so.11.2", 11),
        ("libcudart-9335f6a2.so.12.4.127", 12),
        ("libfoo.so.12", 0),
        ("libcudart.so", 0),
    ],
)
def test_a_soname_tells_the_cuda_major_version_where_it_can(name, major):
    assert cuda_major(name) == major


@pytest.mark.parametrize(
    ("gpu", "first", "last"),
    [
        ((3, 0), "", "10.2"),
        ((3, 7), "", "11.8"),
        ((6, 1), "", "12.9"),
        ((7, 0), "9.0", "12.9"),
        ((7, 5), "10.0", ""),
        ((9, 0), "11.8", ""),
        ((12, 0), "12.8", ""),
    ],
)
def test_a_generation_has_a_first_and_mostly_a_last_cuda(gpu, first, last):
    assert (first_cuda(gpu), last_cuda(gpu)) == (first, last)


@pytest.mark.parametrize(
    ("names", "gpu", "code"),
    [
        (("sm_80",), (8, 9), "code"),
        (("sm_89",), (8, 6), "none"),
        (("sm_80",), (9, 0), "none"),
        (("compute_80",), (9, 0), "PTX"),
        (("compute_90",), (8, 0), "none"),
        (("sm_90a",), (9, 0), "code"),
        (("sm_100a",), (10, 3), "none"),
        (("sm_100f",), (10, 3), "code"),
        (("compute_90a",), (10, 0), "none"),
        (("compute_100f",), (12, 0), "none"),
        (("compute_80", "sm_90"), (9, 0), "code"),
        (("nonsense",), (9, 0), "none"),
    ],
)
def test_code_runs_on_its_own_major_version_and_ptx_on_all_later_ones(names, gpu, code):
    assert code_for(names, gpu) == code


def test_ptx_only_is_what_has_no_machine_code():
    assert is_ptx_only(("compute_80",))
    assert not is_ptx_only(("sm_80", "compute_80"))
    assert not is_ptx_only(())


@pytest.mark.parametrize(("text", "numbers"), [("8.6", (8, 6)), ("12.0", (12, 0)), ("T4", None), ("8", None)])
def test_a_compute_capability_is_two_numbers(text, numbers):
    assert capability(text) == numbers


def test_what_setuptools_installed_is_a_package_too():
    told = text(f"{SITE}/torch-2.3.1-py3.11.egg-info/PKG-INFO", "Name: torch\nVersion: 2.3.1\n")
    version = text(f"{SITE}/torch/version.py", "cuda = '12.1'\n")
    found = stack(image(told, version))
    assert [(part.key, part.version) for part in found.parts] == [("torch", "2.3.1")]
    assert found.release == "12.1"
