import pytest

from linkspan.image import amounts, gpus


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("T4", "7.5"),
        ("Tesla T4", "7.5"),
        ("NVIDIA A100-SXM4-80GB", "8.0"),
        ("NVIDIA A100 80GB PCIe", "8.0"),
        ("NVIDIA H100 80GB HBM3", "9.0"),
        ("NVIDIA GeForce RTX 4070 Ti SUPER", "8.9"),
        ("rtx4090", "8.9"),
        ("RTX 6000 Ada Generation", "8.9"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "12.0"),
        ("Quadro RTX 6000", "7.5"),
        ("TITAN RTX", "7.5"),
        ("Tesla V100-SXM2-16GB", "7.0"),
        ("8.0", "8.0"),
        ("sm_90", "9.0"),
        ("sm_90a", "9.0"),
        ("sm_120", "12.0"),
        ("90", "9.0"),
    ],
)
def test_a_gpu_is_known_by_the_names_that_people_give_it(name, capability):
    assert gpus.capability(name) == capability


@pytest.mark.parametrize("name", ["", "T5", "Radeon", "nvidia", "\u0664.\u0662", "1", "4090", "H100x"])
def test_what_is_no_gpu_that_is_known_is_not_guessed(name):
    assert gpus.capability(name) == ""


def test_the_names_that_are_told_are_known():
    assert all(gpus.capability(name) for name in gpus.names().split(", "))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (9_949, "9.9 KB"),
        (9_951, "10 KB"),
        (999_400, "999 KB"),
        (999_600, "1.0 MB"),
        (2_400_000_000, "2.4 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_bytes_are_told_as_people_read_them(number, text):
    assert amounts.size(number) == text
