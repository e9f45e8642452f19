import pytest

from linkspan.plan.mode import resolve_mode
from linkspan.plan.model import ContainerView, Policy


def mode(visible="0", platform="nvml", default="jit-cdi", **policy):
    view = ContainerView(env=(f"NVIDIA_VISIBLE_DEVICES={visible}",))
    return resolve_mode(Policy(**policy), view, platform, default)


@pytest.mark.parametrize("chosen", ["legacy", "csv", "cdi", "jit-cdi"])
def test_a_mode_that_is_set_is_used_as_it_is(chosen):
    assert mode("nvidia.com/gpu=0", platform="tegra", mode=chosen) == chosen


@pytest.mark.parametrize(
    ("visible", "platform", "expected"),
    [
        ("nvidia.com/gpu=0,example.com/nic=a", "nvml", "cdi"),
        ("nvidia.com/gpu=0", "tegra", "cdi"),
        ("0,nvidia.com/gpu=0", "nvml", "jit-cdi"),
        ("0", "nvml", "jit-cdi"),
        ("void", "wsl", "jit-cdi"),
        ("0", "none", "jit-cdi"),
        ("0", "tegra", "csv"),
    ],
)
def test_auto_goes_by_the_names_then_by_the_platform(visible, platform, expected):
    assert mode(visible, platform) == expected


def test_on_a_plain_host_the_toolkits_hook_takes_auto_for_legacy():
    assert mode(default="legacy") == "legacy"
    assert mode("nvidia.com/gpu=0", default="legacy") == "cdi"
