"""Rules on frameworks in an image."""

import pytest

from tests.unit.image.images import SITE, TOOLKIT, cudart, file, image, library, link, text, wheel
from tests.unit.image.rules.cases import Case, ask, ids, judge

AREA = "framework"
_TENSORRT = wheel("tensorrt-cu12", "10.3.0")
_PROVIDER = library(
    f"{SITE}/onnxruntime/capi/libonnxruntime_providers_cuda.so",
    "libcublasLt.so.12",
    "libonnxruntime_providers_shared.so",
)
_SHARED = library(f"{SITE}/onnxruntime/capi/libonnxruntime_providers_shared.so")

CASES = (
    Case(
        "I-FRAMEWORK-1",
        image(wheel("torch", "2.5.1+cu124"), wheel("nvidia-cuda-runtime-cu12", "12.1.105")),
        image(wheel("torch", "2.5.1+cu124"), wheel("nvidia-cuda-runtime-cu12", "12.4.127")),
    ),
    Case(
        "I-FRAMEWORK-2",
        image(cudart(), wheel("torch", "2.5.1+cpu")),
        image(cudart(), wheel("torch", "2.5.1+cu124"), wheel("torch", "2.5.1", site="/opt/x/site-packages")),
    ),
    Case(
        "I-FRAMEWORK-3",
        image(cudart(), wheel("tensorflow", "2.16.1"), wheel("nvidia-cudnn-cu12", "9.1.0.70")),
        image(cudart(), wheel("tensorflow", "2.18.0"), wheel("nvidia-cudnn-cu12", "9.3.0.75")),
    ),
    Case(
        "I-FRAMEWORK-4",
        image(cudart(), wheel("tensorflow", "2.16.1")),
        image(cudart(), wheel("tensorflow-cpu", "2.16.1")),
    ),
    Case(
        "I-FRAMEWORK-5",
        image(wheel("jaxlib", "0.4.35"), wheel("jax-cuda12-plugin", "0.4.31")),
        image(wheel("jaxlib", "0.4.35"), wheel("jax-cuda12-plugin", "0.4.35")),
    ),
    Case(
        "I-FRAMEWORK-6",
        image(wheel("onnxruntime", "1.19.2"), wheel("onnxruntime-gpu", "1.19.2")),
        image(wheel("onnxruntime", "1.19.2"), wheel("onnxruntime-gpu", "1.19.2", site="/opt/x/site-packages")),
    ),
    Case(
        "I-FRAMEWORK-7",
        image(_PROVIDER, _SHARED),
        image(
            _PROVIDER,
            _SHARED,
            library(f"{TOOLKIT}/libcublasLt.so.12.4.5.8", soname="libcublasLt.so.12"),
            link(f"{TOOLKIT}/libcublasLt.so.12", "libcublasLt.so.12.4.5.8"),
            env=(f"LD_LIBRARY_PATH={TOOLKIT}",),
        ),
    ),
    Case(
        "I-FRAMEWORK-8",
        image(
            wheel("torch", "2.4.1", 'nvidia-cudnn-cu12==9.1.0.70; platform_system == "Linux"'),
            wheel("nvidia-cudnn-cu12", "9.10.2.21"),
        ),
        image(
            wheel("torch", "2.4.1", 'nvidia-cudnn-cu12==9.1.0.70; platform_system == "Linux"'),
            wheel("other", "1.0", 'nvidia-cudnn-cu12==8.9.2.26; extra == "old"', "nvidia-cudnn-cu12>=9"),
            wheel("nvidia-cudnn-cu12", "9.1.0.70"),
        ),
    ),
    Case("I-FRAMEWORK-9", image(cudart("13.0.96"), _TENSORRT), image(cudart("12.6.77"), _TENSORRT)),
    Case(
        "I-FRAMEWORK-10",
        image(wheel("torch", "2.5.1+cu124"), wheel("torchvision", "0.20.1+cu118")),
        image(wheel("torch", "2.5.1+cu124"), wheel("torchvision", "0.20.1+cu124"), wheel("torchaudio", "2.5.1")),
    ),
    Case(
        "I-FRAMEWORK-11",
        image(wheel("torch", "2.5.1+cu124"), wheel("vllm", "0.8.5", "torch==2.6.0")),
        image(wheel("torch", "2.6.0+cu124"), wheel("vllm", "0.8.5", "torch==2.6.0"), wheel("torchaudio", "2.6.0")),
    ),
    Case(
        "I-FRAMEWORK-12",
        image(library(f"{SITE}/torch/_C.cpython-310-x86_64-linux-gnu.so")),
        image(
            library(f"{SITE}/torch/_C.cpython-311-x86_64-linux-gnu.so"),
            library(f"{SITE}/many/_m.cpython-310-x86_64-linux-gnu.so"),
            library(f"{SITE}/many/_m.cpython-311-x86_64-linux-gnu.so"),
            library(f"{SITE}/stable/_m.abi3.so"),
        ),
    ),
    Case(
        "I-FRAMEWORK-13",
        image(cudart(), wheel("torch", "2.5.1+rocm6.2")),
        image(wheel("torch", "2.5.1+rocm6.2")),
    ),
    Case(
        "I-FRAMEWORK-14",
        image(wheel("cupy-cuda11x", "13.3.0"), wheel("cupy-cuda12x", "13.3.0")),
        image(wheel("cupy-cuda12x", "13.3.0")),
    ),
    Case(
        "I-FRAMEWORK-15",
        image(cudart(), wheel("cupy-cuda11x", "13.3.0")),
        image(cudart(), wheel("cupy-cuda12x", "13.3.0")),
    ),
    Case(
        "I-FRAMEWORK-16",
        image(_TENSORRT, file("/models/a/model.plan", size=5_000_000)),
        image(_TENSORRT, file("/app/floor.plan", size=5_000)),
    ),
    Case(
        "I-FRAMEWORK-17",
        image(wheel("torch", "2.14.1"), wheel("torch", "2.4.1+cu121", site="/opt/venv/lib/python3.11/site-packages")),
        image(wheel("torch", "2.14.1"), wheel("numpy", "2.0.0", site="/opt/venv/lib/python3.11/site-packages")),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_tells_what_breaks_it_and_nothing_else(case: Case):
    judge(case)


def test_every_rule_of_the_area_has_a_case():
    assert {case.rule for case in CASES} == ids(AREA)


def test_another_major_version_of_the_runtime_is_an_error_and_a_minor_one_a_warning():
    torch = wheel("torch", "2.5.1+cu124")
    (minor,) = ask("I-FRAMEWORK-1", image(torch, wheel("nvidia-cuda-runtime-cu12", "12.1.105")))
    (major,) = ask("I-FRAMEWORK-1", image(torch, wheel("nvidia-cuda-runtime", "13.0.96")))
    assert (minor.severity, major.severity) == ("warning", "error")


def test_the_cuda_of_pytorch_is_read_from_its_own_file_where_its_version_does_not_tell():
    told = text(f"{SITE}/torch/version.py", "__version__ = '2.5.1'\ncuda: Optional[str] = '12.4'\n")
    runtime = wheel("nvidia-cuda-runtime-cu12", "12.1.105")
    (found,) = ask("I-FRAMEWORK-1", image(wheel("torch", "2.5.1"), told, runtime))
    assert "12.4" in found.cause


def test_a_pytorch_without_its_cuda_library_is_one_for_processors():
    torch, cpu = wheel("torch", "2.5.1"), library(f"{SITE}/torch/lib/libtorch_cpu.so")
    assert ask("I-FRAMEWORK-2", image(cudart(), torch, cpu))
    assert not ask("I-FRAMEWORK-2", image(cudart(), torch, cpu, library(f"{SITE}/torch/lib/libtorch_cuda.so")))
    assert not ask("I-FRAMEWORK-2", image(torch, cpu))


def test_jax_without_its_plugin_is_told_in_an_image_with_cuda():
    assert ask("I-FRAMEWORK-5", image(cudart(), wheel("jaxlib", "0.4.35")))
    assert not ask("I-FRAMEWORK-5", image(wheel("jaxlib", "0.4.35")))
    assert not ask("I-FRAMEWORK-5", image(cudart(), wheel("jaxlib", "0.4.14+cuda12.cudnn89")))


def test_the_fix_names_the_folder_where_the_missing_library_is():
    wheels = library(f"{SITE}/nvidia/cublas/lib/libcublasLt.so.12", soname="libcublasLt.so.12")
    (found,) = ask("I-FRAMEWORK-7", image(_PROVIDER, _SHARED, wheels))
    assert f"LD_LIBRARY_PATH={SITE}/nvidia/cublas/lib" in found.fix


def test_another_patch_of_pytorch_is_a_warning_and_another_release_an_error():
    (patch,) = ask("I-FRAMEWORK-11", image(wheel("vllm", "0.33.0", "torch==2.14.0"), wheel("torch", "2.14.1")))
    (release,) = ask("I-FRAMEWORK-11", image(wheel("vllm", "0.33.0", "torch==2.13.0"), wheel("torch", "2.14.1")))
    assert (patch.severity, release.severity) == ("warning", "error")


def test_the_provider_for_tensorrt_matters_where_tensorrt_is():
    providers = tuple(
        library(f"{SITE}/onnxruntime/capi/libonnxruntime_providers_{name}.so", "libcudart.so.13")
        for name in ("cuda", "tensorrt")
    )
    assert len(ask("I-FRAMEWORK-7", image(*providers))) == 1
    assert len(ask("I-FRAMEWORK-7", image(*providers, wheel("tensorrt-cu12", "10.3.0")))) == 2


def test_a_torchvision_without_pins_is_of_one_pytorch_unless_its_operators_are_for_all():
    bound = (wheel("torchvision", "0.19.1"), library(f"{SITE}/torchvision/_C.so"))
    (found,) = ask("I-FRAMEWORK-11", image(*bound, wheel("torch", "2.5.1")))
    assert "torch 2.4.0" in found.cause
    assert not ask("I-FRAMEWORK-11", image(*bound, wheel("torch", "2.4.1")))
    assert not ask("I-FRAMEWORK-11", image(wheel("torchvision", "0.29.1"), wheel("torch", "2.15.0")))
