"""docker's ``--gpus``, as its command line reads it."""

import pytest

from linkspan.errors import RequestError
from linkspan.explain import flags


@pytest.mark.parametrize(
    ("value", "env"),
    [
        ("all", ["NVIDIA_VISIBLE_DEVICES=all"]),
        ("2", ["NVIDIA_VISIBLE_DEVICES=0,1"]),
        ("device=1", ["NVIDIA_VISIBLE_DEVICES=1"]),
        ('"device=0,2"', ["NVIDIA_VISIBLE_DEVICES=0,2"]),
        (
            'all,"capabilities=compute,utility"',
            ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"],
        ),
        ("capabilities=gpu", ["NVIDIA_VISIBLE_DEVICES=all"]),
        ("driver=nvidia,count=1", ["NVIDIA_VISIBLE_DEVICES=0"]),
    ],
)
def test_what_docker_makes_of_it(value, env):
    assert flags.env_of_gpus(value) == env


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("device=0,1", 'docker reads "device=0,1" as a device and a count'),
        ("", "--gpus has no value"),
        ("many", '"many" is no number of GPUs'),
        ("0", '"0" is no number of GPUs'),
        ("99999", '"99999" is no number of GPUs'),
        ("gpu=0", '--gpus knows no "gpu"'),
        ("device=0,device=1", '--gpus has "device" twice'),
    ],
)
def test_what_docker_refuses_is_refused_with_a_reason(value, sentence):
    with pytest.raises(RequestError) as refusal:
        flags.env_of_gpus(value)
    assert refusal.value.message == sentence
    assert refusal.value.hint


def test_the_command_lines_variables_win_over_the_images():
    assert flags.merged(["A=1", "B=2"], ["A=3"]) == ("A=3", "B=2")
