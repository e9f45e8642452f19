"""200 containers at once by two engines, while all that they rely on is made anew again and again."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engines import cgroups, containerd, docker, gpu, inside
from tests.engines.containerd import Containerd
from tests.engines.docker import Docker
from tests.storm import ENOUGH_REFRESHES, await_refreshes, unrest

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]

CONTAINERS = 200
AT_ONCE = 16
SPEC = "/etc/cdi/nvidia.yaml"


@pytest.fixture
def engines(driver_root: str) -> Iterator[tuple[Docker, Containerd]]:
    """Docker and containerd side by side on one machine."""
    version = (cgroups.available() or ["v1"])[0]
    with gpu.boot("bookworm", driver_root, version) as host:
        host.generate_cdi()
        with docker.running(host) as first, containerd.running(host) as second:
            yield first, second


def life(first: Docker, second: Containerd, number: int) -> str:
    """What a container prints that lists its GPU; which one, and by which engine and way, follows from its number."""
    index = number % 8
    if number % 2:
        return second.gpu(str(index))
    if number % 4:
        return first.run(f"--gpus=device={index}")
    return first.gpu(f"--env=NVIDIA_VISIBLE_DEVICES={index}")


def left(first: Docker, second: Containerd) -> dict[str, object]:
    """What containers may leave behind on their machine."""
    machine = first.host.machine
    below = [os.walk(folder) for folder in machine.cgroups]
    return {
        "of Docker": first.need("ps", "--all", "--quiet"),
        "of containerd": second("containers", "list", "--quiet").stdout,
        "mounts": len(machine.need("cat", "/proc/self/mountinfo").splitlines()),
        "cgroups": sorted(path for folders in below for path, _, _ in folders),
        "unfinished files": [
            name
            for folder in (first.host.toolkit.place.state, machine.file(os.path.dirname(SPEC)))
            for _, _, names in os.walk(folder)
            for name in names
            if name.startswith(".")
        ],
    }


def test_none_fails_or_sees_a_wrong_gpu_and_nothing_is_left(engines: tuple[Docker, Containerd]) -> None:
    first, second = engines
    for number in range(4):  # engines make some cgroups and mounts of their own with a first container
        life(first, second, number)
    before = left(first, second)
    host = first.host
    with ThreadPoolExecutor(AT_ONCE) as pool, unrest(host.toolkit, SPEC, lambda it: host.machine.run(*it)) as refreshed:
        printed = list(pool.map(lambda number: life(first, second, number), range(CONTAINERS)))
        await_refreshes(refreshed)
    wrong = [(number, text) for number, text in enumerate(printed) if not inside.sees(text, [number % 8])]
    assert not wrong, wrong[:3]
    assert refreshed[0] > ENOUGH_REFRESHES
    assert left(first, second) == before
