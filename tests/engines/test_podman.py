"""``podman run --device nvidia.com/gpu=…`` as root and as a user, and Podman with linkspan's runtime."""

import pytest

from tests.engines import images, inside
from tests.engines import podman as engine
from tests.engines.podman import Podman, Way

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]

RUNTIMES = ("runc", "crun")
DEVICES = {"0": (0,), "all": range(8), inside.gpu_uuids([5])[0]: (5,)}


@pytest.fixture(params=RUNTIMES)
def as_root(podman: Podman, request: pytest.FixtureRequest) -> Way:
    """Root's Podman over each low-level runtime that works here."""
    return engine.need(podman, request.param)


@pytest.fixture(params=RUNTIMES)
def as_user(rootless: Podman, request: pytest.FixtureRequest) -> Way:
    """An ordinary user's."""
    return engine.need(rootless, request.param)


@pytest.fixture(params=RUNTIMES)
def wrapped(podman: Podman, request: pytest.FixtureRequest) -> Way:
    """Root's Podman over linkspan's runtime over each low-level one."""
    engine.need(podman, request.param)
    podman.host.configure(low_level=request.param)
    return Way(podman, podman.host.toolkit.place.runtime)


@pytest.mark.parametrize("name", DEVICES)
def test_nvidia_smi_lists_exactly_the_device_named(as_root: Way, name: str) -> None:
    printed = as_root.run(f"--device=nvidia.com/gpu={name}", command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, DEVICES[name])
    assert inside.opened(printed, *inside.LIBRARIES), printed


@pytest.mark.each_cgroup
def test_only_the_nodes_of_the_devices_named_can_be_opened(as_root: Way) -> None:
    devices = ("--device=nvidia.com/gpu=0", "--device=nvidia.com/gpu=2", "--cap-add=MKNOD")
    assert inside.answers(as_root.run(*devices, command=inside.open_nodes())) == inside.only_minors((0, 2))


@pytest.mark.parametrize("option", ["--read-only", "--user=1000"])
def test_the_device_is_there_with_this_option_too(as_root: Way, option: str) -> None:
    printed = as_root.run("--device=nvidia.com/gpu=0", option, command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, (0,))
    assert inside.opened(printed, *inside.LIBRARIES), printed


def test_a_device_that_is_not_there_is_refused(as_root: Way) -> None:
    done = as_root(*engine.RUN, "--device=nvidia.com/gpu=17", images.CUDA, "true")
    assert done.returncode != 0
    assert "unresolvable CDI devices nvidia.com/gpu=17" in done.stderr


@pytest.mark.parametrize("name", DEVICES)
def test_a_user_sees_exactly_the_device_named(as_user: Way, name: str) -> None:
    printed = as_user.run(f"--device=nvidia.com/gpu={name}", command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, DEVICES[name])
    assert inside.opened(printed, *inside.LIBRARIES), printed


@pytest.mark.each_cgroup
def test_a_users_container_has_the_nodes_of_its_devices_alone(as_user: Way) -> None:
    printed = as_user.run("--device=nvidia.com/gpu=2", command=("/bin/sh", "-c", "echo /dev/nvidia[0-9]*"))
    assert printed == "/dev/nvidia2\n"


@pytest.mark.parametrize(("request_", "gpus"), [("0,2", (0, 2)), ("all", range(8))])
def test_over_our_runtime_the_environment_asks(wrapped: Way, request_: str, gpus: tuple[int, ...]) -> None:
    printed = wrapped.run("-e", f"NVIDIA_VISIBLE_DEVICES={request_}", command=inside.list_and_open(*inside.LIBRARIES))
    assert inside.sees(printed, gpus)
    assert inside.opened(printed, *inside.LIBRARIES), printed


def test_over_our_runtime_a_refusal_reaches_the_user(wrapped: Way) -> None:
    done = wrapped(*engine.RUN, "-e", "NVIDIA_VISIBLE_DEVICES=17", images.CUDA, "true")
    assert done.returncode != 0
    assert 'linkspan-runtime: "17" was asked for, but this host has GPUs 0, 1, 2, 3, 4, 5, 6, 7; ' in done.stderr
