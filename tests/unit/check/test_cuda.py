"""NVIDIA's compatibility tables, as rules ask them."""

import pytest

from linkspan.check import cuda


@pytest.mark.parametrize(
    ("driver", "newest"),
    [("550.163.01", "12.4"), ("552.22", "12.4"), ("580.65.06", "13.0"), ("390.157", ""), ("999.1", ""), ("", "")],
)
def test_a_driver_runs_cuda_up_to_that_of_its_branch(driver, newest):
    assert cuda.cuda_of(driver) == newest


def test_programs_of_a_major_version_need_the_first_driver_of_it():
    assert [cuda.needed_driver(version) for version in ("11.8", "12.9", "13.0", "99.1", "")] == [
        "450.80.02", "525.60.13", "580.65.06", "", "",
    ]  # fmt: skip


def test_the_branch_for_a_cuda_is_the_first_that_knows_it():
    assert [cuda.driver_for(version) for version in ("12.8", "12.4.1", "13.0", "99.0", "")] == [
        "570",
        "550",
        "580",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("device", "capability"),
    [
        ("0x2330", (9, 0)), ("0x2b85", (12, 0)), ("0x1eb8", (7, 5)), ("0x1db6", (7, 0)), ("0x15f8", (6, 0)),
        ("0x1d01", (6, 1)), ("0x20b0", (8, 0)), ("0x0020", None), ("", None),
    ],
)  # fmt: skip
def test_a_pci_id_tells_the_compute_capability(device, capability):
    assert cuda.compute_capability(device) == capability


@pytest.mark.parametrize(
    ("name", "consumer", "data_centre"),
    [
        ("NVIDIA GeForce RTX 4090", True, False),
        ("NVIDIA H100 80GB HBM3", False, True),
        ("NVIDIA A100-SXM4-40GB", False, True),
        ("Tesla T4", False, True),
        ("NVIDIA L40S", False, True),
        ("NVIDIA GB200", False, True),
        ("NVIDIA RTX A6000", True, False),
        ("NVIDIA TITAN V", True, False),
        ("Orin (nvgpu)", False, False),
    ],
)
def test_names_tell_for_whom_the_compatibility_library_is(name, consumer, data_centre):
    assert (cuda.is_consumer(name), cuda.is_data_centre(name)) == (consumer, data_centre)


def test_what_is_no_version_is_not_older():
    assert cuda.older("12.4", "12.10")
    assert not cuda.older("", "12.4")
    assert not cuda.older("12.4", "12.4.0")
