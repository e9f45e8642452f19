"""Rules on where an image is to run."""

import pytest

from linkspan.image.registry import Target
from tests.unit.image.images import SITE, compat, cudart, image, library, text, wheel
from tests.unit.image.rules.cases import Case, ask, ids, judge

AREA = "target"
_OLD, _NEW = Target(driver="470.256.02"), Target(driver="550.163.01")
_V100, _A100, _B200 = (Target(driver="580.95.05", capabilities=(one,)) for one in ("7.0", "8.0", "10.0"))
_L4 = Target(driver="550.163.01", capabilities=("8.9",))
_REQUIRE = ("NVIDIA_REQUIRE_CUDA=cuda>=12.8 brand=tesla,driver>=535,driver<536",)

CASES = (
    Case("I-TARGET-1", image(cudart()), image(cudart()), _OLD, _NEW),
    Case(
        "I-TARGET-2",
        image(cudart("12.8.90"), wheel("numba", "0.60.0"), library("/usr/local/cuda/nvvm/lib64/libnvvm.so.4.0.0")),
        image(cudart("12.8.90"), wheel("numba", "0.60.0"), wheel("triton", "3.3.0")),
        _NEW,
    ),
    Case("I-TARGET-3", image(cudart("13.0.96")), image(cudart("12.8.90")), _V100),
    Case(
        "I-TARGET-4",
        image(library("/app/k.so", gpu=("sm_70", "sm_80"))),
        image(library("/app/k.so", gpu=("sm_70", "compute_80"))),
        _B200,
    ),
    Case("I-TARGET-5", image(wheel("torch", "2.5.1+cu124")), image(wheel("torch", "2.7.0+cu128")), _B200),
    Case(
        "I-TARGET-6",
        image(cudart("12.8.90"), library("/app/k.so", gpu=("sm_70", "compute_80"))),
        image(cudart("12.4.127"), library("/app/k.so", gpu=("sm_70", "compute_80"))),
        _L4,
    ),
    Case(
        "I-TARGET-7",
        image(library("/usr/bin/ffmpeg", "libnvidia-encode.so.1")),
        image(library("/usr/bin/ffmpeg", "libnvidia-encode.so.1")),
        _A100,
        _L4,
    ),
    Case("I-TARGET-8", image(env=_REQUIRE), image(env=(*_REQUIRE, "NVIDIA_DISABLE_REQUIRE=1")), _NEW),
    Case("I-TARGET-9", image(cudart("11.8.89")), image(cudart("12.8.90")), _B200),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_tells_what_breaks_it_and_nothing_else(case: Case):
    judge(case)


def test_every_rule_of_the_area_has_a_case():
    assert {case.rule for case in CASES} == ids(AREA)


def test_a_part_of_a_package_without_code_is_worth_knowing_and_the_whole_an_error():
    parts = (library(f"{SITE}/vllm/_C.abi3.so", gpu=("sm_75",)), library(f"{SITE}/vllm/_fa3.abi3.so", gpu=("sm_90a",)))
    (part,) = ask("I-TARGET-4", image(*parts), Target(capabilities=("7.5",)))
    (whole,) = ask("I-TARGET-4", image(*parts), Target(capabilities=("7.0",)))
    assert (part.severity, part.paths) == ("info", (parts[1].path,))
    assert (whole.severity, set(whole.paths)) == ("error", {one.path for one in parts})


def test_a_package_that_may_never_be_called_is_a_warning():
    t4 = Target(capabilities=("7.5",))
    (vital,) = ask("I-TARGET-4", image(library(f"{SITE}/onnxruntime/_C.so", gpu=("sm_80",))), t4)
    (other,) = ask("I-TARGET-4", image(library(f"{SITE}/xformers/_C.so", gpu=("sm_80",))), t4)
    assert (vital.severity, other.severity) == ("error", "warning")


def test_cudnn_that_dropped_a_gpu_is_told_with_the_last_one_that_has_it():
    ops = library(f"{SITE}/nvidia/cudnn/lib/libcudnn_ops.so.9", gpu=("sm_75", "sm_80"))
    (found,) = ask("I-TARGET-4", image(cudart("12.8.90"), ops), _V100)
    assert "nvidia-cudnn-cu12<9.11" in found.fix
    assert not ask("I-TARGET-4", image(cudart("13.0.96"), ops), _V100)  # CUDA 13 itself dropped it


def test_pytorch_is_judged_by_its_own_code_where_that_is_known():
    torch = (wheel("torch", "2.14.1"), library(f"{SITE}/torch/lib/libtorch_cuda.so", gpu=("sm_75", "sm_80")))
    version = text(f"{SITE}/torch/version.py", "__version__ = '2.14.1+cu130'\ncuda: Optional[str] = '13.0'\n")
    (found,) = ask("I-TARGET-5", image(*torch, version), _V100)
    assert "sm_75, sm_80" in found.cause
    assert not ask("I-TARGET-5", image(*torch, version), Target(capabilities=("8.9",)))
    (found,) = ask("I-TARGET-5", image(torch[0], version), _V100)
    assert "7.5, 8.0" in found.cause


def test_without_a_target_no_rule_of_the_area_says_anything():
    full = image(cudart("13.0.96"), library("/app/k.so", gpu=("sm_70",)), wheel("torch", "2.5.1+cu124"), env=_REQUIRE)
    assert not [found for rule in ids(AREA) for found in ask(rule, full)]


def test_the_compatibility_package_helps_a_data_centre_gpu_and_no_other():
    whole = image(cudart(), compat())
    assert not ask("I-TARGET-1", whole, Target(driver="470.256.02", gpus=("Tesla T4",)))
    (found,) = ask("I-TARGET-1", whole, Target(driver="470.256.02", gpus=("NVIDIA GeForce RTX 3090",)))
    assert "GeForce" in found.cause


def test_the_fix_names_a_build_of_pytorch_that_has_kernels_for_the_gpu():
    (found,) = ask("I-TARGET-5", image(wheel("torch", "2.12.0+cu130")), _V100)
    assert found.fix.endswith("/cu126")


def test_the_fix_for_an_old_driver_is_what_helps_there():
    torch = (cudart("13.0.96"), wheel("torch", "2.14.1+cu130"))
    (centre,) = ask("I-TARGET-1", image(*torch), Target(driver="535", gpus=("T4",), capabilities=("7.5",)))
    assert "cuda-compat-13-0" in centre.fix
    assert centre.fix.endswith("/whl/cu128")
    (home,) = ask("I-TARGET-1", image(*torch), Target(driver="470", gpus=("RTX 3090",), capabilities=("8.6",)))
    assert "cuda-compat" not in home.fix
    assert home.fix.endswith("/whl/cu118")
    (other,) = ask("I-TARGET-1", image(cudart("13.0.96")), Target(driver="535"))
    assert other.fix.endswith("build the image for an older CUDA")


def test_numba_with_nvjitlink_needs_no_newer_driver():
    numba = (wheel("numba-cuda", "0.30.0"), library("/usr/local/cuda/nvvm/lib64/libnvvm.so.4.0.0"))
    assert ask("I-TARGET-2", image(cudart("12.8.90"), *numba), _NEW)
    linked = library(f"{SITE}/nvidia/nvjitlink/lib/libnvJitLink.so.12")
    assert not ask("I-TARGET-2", image(cudart("12.8.90"), *numba, linked), _NEW)
