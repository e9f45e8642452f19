"""``ctr run``: containerd with linkspan's runtime in place of runc, and with linkspan's CDI spec."""

import pytest

from tests.debian import UnavailableError
from tests.engines import inside
from tests.engines.containerd import Containerd

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]

REQUESTS = {"0": (0,), "0,2": (0, 2), "all": range(8), inside.gpu_uuids([5])[0]: (5,)}


@pytest.mark.parametrize("request_", REQUESTS)
def test_nvidia_smi_lists_exactly_the_gpus_asked_for(containerd: Containerd, request_: str) -> None:
    printed = containerd.gpu(request_, command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, REQUESTS[request_])
    assert inside.opened(printed, *inside.LIBRARIES), printed


@pytest.mark.each_cgroup
def test_only_the_nodes_asked_for_can_be_opened(containerd: Containerd) -> None:
    printed = containerd.gpu("0,2", command=inside.open_nodes())
    assert inside.answers(printed) == inside.only_minors((0, 2))


@pytest.mark.parametrize("option", ["--read-only", "--net-host"])
def test_the_gpu_is_there_with_this_option_too(containerd: Containerd, option: str) -> None:
    printed = containerd.gpu("0", option, command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, (0,))
    assert inside.opened(printed, *inside.LIBRARIES), printed


def test_containerds_own_runtime_gives_the_same_image_nothing(containerd: Containerd) -> None:
    printed = containerd.run(command=("/bin/sh", "-c", "ls /dev; ldconfig -p"))
    assert "nvidia" not in printed
    assert "libcuda." not in printed


def test_what_cannot_be_granted_is_refused_in_one_sentence_of_ours(containerd: Containerd) -> None:
    done = containerd.try_run(*containerd.ours("17"), command=("true",))
    assert done.returncode != 0
    assert ': linkspan-runtime: "17" was asked for, but this host has GPUs 0, 1, 2, 3, 4, 5, 6, 7; ' in done.stderr


@pytest.fixture
def cdi(containerd: Containerd) -> Containerd:
    """A containerd whose ``ctr`` knows CDI."""
    if not containerd.knows_cdi:
        raise UnavailableError("before containerd 2, ctr takes paths of devices alone")
    return containerd


def test_a_device_of_our_spec_is_there_by_its_name(cdi: Containerd) -> None:
    printed = cdi.run("--device=nvidia.com/gpu=2", command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, (2,))
    assert inside.opened(printed, *inside.LIBRARIES), printed


@pytest.mark.each_cgroup
def test_only_the_nodes_of_the_devices_named_can_be_opened(cdi: Containerd) -> None:
    devices = ("--device=nvidia.com/gpu=0", "--device=nvidia.com/gpu=2")
    assert inside.answers(cdi.run(*devices, command=inside.open_nodes())) == inside.only_minors((0, 2))
