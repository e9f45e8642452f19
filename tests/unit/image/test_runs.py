"""Whether an image runs on a machine that is not at hand."""

import pytest

from linkspan.image.registry import Target
from linkspan.image.runs import runs
from tests.unit.image.images import compat, cudart, image, library, wheel


@pytest.mark.parametrize(
    ("cuda", "driver", "way"),
    [
        ("12.4.127", "550.163.01", "natively"),
        ("11.8.89", "550.163.01", "natively"),
        ("12.8.90", "550.163.01", "by minor version compatibility"),
        ("13.0.96", "550.163.01", "not"),
        ("12.4.127", "470.256.02", "not"),
        ("12.4.127", "", "unknown"),
    ],
)
def test_a_cuda_runs_as_the_driver_allows(cuda, driver, way):
    found = runs(image(cudart(cuda)), Target(driver=driver))
    assert found.way == way
    assert found.why
    assert cuda.startswith(f"{found.cuda}.")


def test_the_compatibility_package_counts_where_the_gpu_takes_it():
    whole = image(cudart(), compat())
    assert runs(whole, Target(driver="470.256.02")).way == "by the compatibility package"
    refused = runs(whole, Target(driver="470.256.02", gpus=("NVIDIA GeForce RTX 3090",)))
    assert refused.way == "not"
    assert "GeForce" in refused.why


def test_a_dropped_gpu_does_not_run_it_whatever_the_driver():
    found = runs(image(cudart("13.0.96")), Target(driver="580.95.05", capabilities=("9.0", "7.0")))
    assert found.way == "not"
    assert "12.9" in found.why


def test_code_for_other_gpus_alone_does_not_run():
    target = Target(driver="580.95.05", capabilities=("10.0",))
    assert runs(image(cudart(), library("/app/k.so", gpu=("sm_80",))), target).way == "not"
    assert runs(image(cudart(), library("/app/k.so", gpu=("sm_80", "sm_100"))), target).way == "natively"


def test_ptx_is_not_covered_by_minor_version_compatibility():
    target = Target(driver="550.163.01", capabilities=("9.0",))
    only_ptx = image(cudart("12.8.90"), library("/app/k.so", gpu=("compute_80",)))
    assert runs(only_ptx, target).way == "not"
    assert (
        runs(image(cudart("12.8.90"), library("/app/k.so", gpu=("sm_90",))), target).way
        == "by minor version compatibility"
    )


def test_pytorch_tells_the_cuda_where_no_runtime_does():
    found = runs(image(wheel("torch", "2.5.1+cu124")), Target(driver="550.163.01"))
    assert (found.way, found.cuda) == ("natively", "12.4")


def test_an_image_without_cuda_is_not_judged():
    assert runs(image(wheel("numpy", "2.0.0")), Target(driver="550.163.01")).way == "unknown"


@pytest.mark.parametrize(
    ("image_", "target", "why"),
    [
        (
            image(cudart("12.4.127")),
            Target(gpus=("T4",), capabilities=("7.5",)),
            "it runs natively from driver 550 on, by minor version compatibility from 525.60.13 on",
        ),
        (image(cudart("10.1.243")), Target(gpus=("T4",)), "it runs natively from driver 418 on"),
        (
            image(cudart("12.8.90"), library("/app/k.so", gpu=("compute_80",))),
            Target(capabilities=("9.0",)),
            "it runs natively from driver 570 on",
        ),
        (
            image(cudart("12.4.127"), compat()),
            Target(),
            "it runs natively from driver 550 on, by minor version compatibility from 525.60.13 on, "
            "by the compatibility package in it with some older drivers of data-centre GPUs",
        ),
        (
            image(cudart("12.4.127"), compat()),
            Target(gpus=("NVIDIA GeForce RTX 3090",)),
            "it runs natively from driver 550 on, by minor version compatibility from 525.60.13 on",
        ),
    ],
)
def test_without_a_driver_it_says_which_ones_would_do(image_, target, why):
    found = runs(image_, target)
    assert (found.way, found.why, found.driver) == ("unknown", why, "")


def test_a_driver_that_is_not_known_is_named():
    assert "CUDA driver 390 runs" in runs(image(cudart()), Target(driver="390")).why
    assert "CUDA driver 999 runs" in runs(image(cudart("99.1.2")), Target(driver="999")).why


def test_a_driver_newer_than_all_known_runs_what_those_run():
    found = runs(image(cudart("12.4.127")), Target(driver="999"))
    assert found.way == "natively"
    assert "newer than those known here" in found.why


def test_a_branch_alone_stands_for_its_newest_driver():
    assert runs(image(cudart("12.4.127")), Target(driver="525")).way == "by minor version compatibility"
    assert runs(image(cudart("12.4.127")), Target(driver="525.53.01")).way == "not"
