import pytest

from linkspan.image.advice import advise
from linkspan.image.gpu_code import capability as numbers
from linkspan.image.gpu_code import code_for
from linkspan.image.registry import Target
from tests.unit.image.stacks import BASE, image, lib


@pytest.mark.parametrize(
    ("code", "capability", "runs"),
    [
        ("sm_80", "8.0", True),
        ("sm_80", "8.6", True),
        ("sm_86", "8.0", False),
        ("sm_80", "9.0", False),
        ("compute_80", "9.0", True),
        ("compute_80", "12.0", True),
        ("compute_90", "8.9", False),
        ("sm_90a", "9.0", True),
        ("compute_90a", "10.0", False),
        ("sm_100f", "10.3", True),
        ("compute_100f", "12.0", False),
        ("sm_120", "12.1", True),
        ("nonsense", "8.0", False),
    ],
)
def test_code_runs_on_the_gpus_that_cuda_says(code, capability, runs):
    gpu = numbers(capability)
    assert gpu
    assert (code_for([code], gpu) != "none") is runs


def test_a_gpu_for_which_programs_hold_no_code_is_noted():
    programs = (lib("/app/old", 5, gpu=("sm_70", "sm_75")), lib("/app/new", 5, gpu=("sm_75", "compute_75")))
    target = Target(gpus=("A100", "T4"), capabilities=("8.0", "7.5"))
    notes = advise(image(*BASE, *programs), target).fleet.notes
    assert notes == ("/app/old has no code for A100 (8.0)",)
