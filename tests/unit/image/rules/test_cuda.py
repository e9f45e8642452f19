"""Rules on CUDA's runtime and libraries in an image."""

import pytest

from tests.unit.image.images import (
    SITE,
    SYSTEM,
    TOOLKIT,
    compat,
    cudart,
    debian,
    file,
    image,
    library,
    link,
    rpm,
    wheel,
)
from tests.unit.image.rules.cases import Case, ask, ids, judge

AREA = "cuda"
_PARTS = ("graph", "ops", "cnn", "adv", "heuristic", "engines_precompiled", "engines_runtime_compiled")


def _cudnn(*parts: str, folder: str = SYSTEM, version: str = "9.1.0"):
    return [
        library(f"{folder}/libcudnn{part and '_' + part}.so.{version}", soname=f"libcudnn{part and '_' + part}.so.9")
        for part in ("", *parts)
    ]


CASES = (
    Case(
        "I-CUDA-1",
        image(cudart("11.8.89"), cudart("12.4.127")),
        image(cudart("12.4.127"), cudart("12.6.77"), wheel("nvidia-cuda-runtime-cu11", "11.8.89")),
    ),
    Case(
        "I-CUDA-2",
        image(wheel("nvidia-cublas-cu11", "11.11.3.6"), wheel("nvidia-cublas-cu12", "12.4.5.8")),
        image(
            wheel("nvidia-cublas-cu12", "12.4.5.8"),
            wheel("nvidia-curand-cu12", "10.3.5.147"),
            wheel("nvidia-ml-py", "13.580.65"),
            wheel("nvidia-cublas-cu11", "11.11.3.6", site="/opt/old/lib/python3.8/site-packages"),
        ),
    ),
    Case(
        "I-CUDA-3",
        image(library(f"{TOOLKIT}/libcublas.so.12.4.5.8", "libcublasLt.so.12", "libc.so.6", soname="libcublas.so.12")),
        image(
            library(f"{TOOLKIT}/libcublas.so.12.4.5.8", "libcublasLt.so.12", "libcuda.so.1", soname="libcublas.so.12"),
            library(f"{TOOLKIT}/libcublasLt.so.12.4.5.8", soname="libcublasLt.so.12"),
        ),
    ),
    Case(
        "I-CUDA-4",
        image(cudart(), debian(libcudnn9_cuda_13="9.12.0.46-1")),
        image(cudart(), debian(libcudnn9_cuda_12="9.1.0.70-1"), wheel("nvidia-cudnn-cu12", "9.1.0.70")),
    ),
    Case(
        "I-CUDA-5",
        image(cudart(), debian(libnccl2="2.27.7-1+cuda13.0")),
        image(cudart(), debian(libnccl2="2.21.5-1+cuda12.4"), wheel("nvidia-nccl-cu12", "2.21.5")),
    ),
    Case("I-CUDA-6", image(cudart("10.2.89")), image(cudart("12.8.90"), cudart("11.8.89"))),
    Case(
        "I-CUDA-7",
        image(library("/app/kernels.so", gpu=("compute_70", "compute_80"))),
        image(
            library("/app/kernels.so", gpu=("sm_80", "compute_80")),
            library("/app/plain.so", gpu=()),
            library("/app/unknown.so"),
        ),
    ),
    Case("I-CUDA-8", image(cudart("12.6.77"), compat("550.54.15")), image(cudart("12.4.127"), compat("550.54.15"))),
    Case("I-CUDA-9", image(*_cudnn("graph", "ops")), image(*_cudnn(*_PARTS))),
    Case(
        "I-CUDA-10",
        image(*_cudnn("ops", version="9.1.0"), *_cudnn("cnn", version="9.5.1")),
        image(*_cudnn(*_PARTS), library(f"{SYSTEM}/libcudnn.so.8.9.2", soname="libcudnn.so.8")),
    ),
    Case(
        "I-CUDA-11",
        image(
            *_cudnn(),
            link(f"{SYSTEM}/libcudnn.so.9", "libcudnn.so.9.1.0"),
            wheel("nvidia-cudnn-cu12", "9.10.2.21"),
            env=(f"LD_LIBRARY_PATH={SYSTEM}",),
        ),
        image(*_cudnn(), link(f"{SYSTEM}/libcudnn.so.9", "libcudnn.so.9.1.0"), wheel("nvidia-cudnn-cu12", "9.10.2.21")),
    ),
    Case(
        "I-CUDA-12",
        image(library(f"{TOOLKIT}/libnvrtc.so.12.4.127", soname="libnvrtc.so.12")),
        image(
            library(f"{TOOLKIT}/libnvrtc.so.12.4.127", soname="libnvrtc.so.12"),
            library(f"{TOOLKIT}/libnvrtc-builtins.so.12.4.127"),
        ),
    ),
    Case(
        "I-CUDA-13",
        image(wheel("nvidia-cuda-runtime-cu12", "12.4.127"), wheel("nvidia-nvjitlink-cu12", "12.1.105")),
        image(wheel("nvidia-cuda-runtime-cu12", "12.4.127"), wheel("nvidia-nvjitlink-cu12", "12.4.99")),
    ),
    Case(
        "I-CUDA-14",
        image(cudart(), link("/usr/local/cuda", "cuda-12.1")),
        image(
            cudart(),
            link("/usr/local/cuda", "/etc/alternatives/cuda"),
            link("/etc/alternatives/cuda", "/usr/local/cuda-12.4"),
            file("/usr/local/cuda-12.4/version.json"),
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_tells_what_breaks_it_and_nothing_else(case: Case):
    judge(case)


def test_every_rule_of_the_area_has_a_case():
    assert {case.rule for case in CASES} == ids(AREA)


def test_a_library_is_not_missed_in_an_image_that_was_read_in_part():
    lone = library(f"{TOOLKIT}/libcublas.so.12.4.5.8", "libcublasLt.so.12", soname="libcublas.so.12")
    assert ask("I-CUDA-3", image(lone))
    assert not ask("I-CUDA-3", image(lone, refused=("the layer sha256:1 is not with the image",)))


def test_a_cudnn_without_what_some_models_need_is_a_warning_alone():
    (found,) = ask("I-CUDA-9", image(*_cudnn(*_PARTS[:3], *_PARTS[4:])))
    assert found.severity == "warning"
    assert "libcudnn_adv.so.9" in found.cause


def test_wheels_and_the_system_are_told_apart():
    assert not ask("I-CUDA-2", image(cudart("11.8.89"), wheel("nvidia-cublas-cu12", "12.4.5.8", site=SITE)))


def test_cuda_11_is_worth_knowing_and_older_ones_are_a_warning():
    assert [one.severity for one in ask("I-CUDA-6", image(cudart("11.8.89")))] == ["info"]
    assert [one.severity for one in ask("I-CUDA-6", image(cudart("10.2.89"), cudart("11.8.89")))] == ["warning"]


@pytest.mark.parametrize(
    ("rule", "other", "same", "fix"),
    [
        ("I-CUDA-4", {"libcudnn9_cuda_13": "9.12.0.46-1"}, {"libcudnn9_cuda_12": "9.1.0.70-1"}, "libcudnn9-cuda-12"),
        ("I-CUDA-4", {"libcudnn8": "8.9.7.29-1.cuda11.8"}, {"libcudnn8": "8.9.7.29-1.cuda12.2"}, "libcudnn9-cuda-12"),
        ("I-CUDA-5", {"libnccl": "2.27.7-1+cuda13.0"}, {"libnccl": "2.21.5-1+cuda12.4"}, "libnccl-*+cuda12.*"),
        ("I-FRAMEWORK-9", {"libnvinfer10": "10.3.0-1.cuda11.8"}, {"libnvinfer10": "10.3.0-1.cuda12.5"}, "cuda12"),
    ],
)
def test_packages_of_rpm_are_matched_to_the_images_cuda_too(rule, other, same, fix):
    (found,) = ask(rule, image(cudart(), rpm(**other)))
    assert "of CUDA 1" in found.cause or "with CUDA 1" in found.cause
    assert found.paths == ("/var/lib/rpm/rpmdb.sqlite",)
    assert fix in found.fix
    assert not ask(rule, image(cudart(), rpm(**same)))
