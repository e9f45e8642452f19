"""Many containers at once, by every way, while everything that starts rely on is made anew again and again."""

import os
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import pytest

from tests import cdi_engine
from tests.containers import RUNC_V1, Outcome, Runtime, Wrapper, new_bundle, run
from tests.privileged import inside
from tests.rootfs import fresh_root
from tests.storm import ENOUGH_REFRESHES, await_refreshes, unrest
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged

CONTAINERS = 200
AT_ONCE = 16
WAYS = ("wrapper", "prestart", "hook")


def life(number: int, wrapper: Wrapper, prestart: str, spec: dict[str, Any]) -> tuple[int, str, Outcome]:
    """One container that lists its GPU; which one, and by which way, follows from its number. Also its name."""
    gpu, way = number % 8, WAYS[number % len(WAYS)]
    with fresh_root() as root, new_bundle(root, *inside.LIST_GPUS) as bundle:
        if way == "hook":
            cdi_engine.inject(bundle.config, spec, [str(gpu)])
            return gpu, bundle.id, run(RUNC_V1, bundle)
        bundle.env(f"NVIDIA_VISIBLE_DEVICES={gpu}")
        if way == "wrapper":
            return gpu, bundle.id, run(RUNC_V1, bundle, wrapper)
        env = [f"{key}={value}" for key, value in {"PATH": os.defpath, **wrapper.env}.items()]
        entry = {"path": prestart, "args": ["nvidia-container-runtime-hook", "prestart"], "env": env}
        bundle.config["hooks"] = {"prestart": [entry]}
        return gpu, bundle.id, run(RUNC_V1, bundle)


def run_here(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program of the machine that the tests run on."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def mounts_here() -> int:
    """How many mounts there are in the mount namespace of the tests."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return sum(1 for _ in file)


def test_none_of_200_containers_fails_or_sees_a_wrong_gpu_and_nothing_is_left(
    toolkit_550: Toolkit, runc: Runtime
) -> None:
    spec, wrapper = toolkit_550.generate(), toolkit_550.over(runc)
    with ProcessPoolExecutor(AT_ONCE) as pool:

        def start(numbers: Iterable[int]) -> list[Future[tuple[int, str, Outcome]]]:
            return [pool.submit(life, n, wrapper, toolkit_550.place.prestart, spec) for n in numbers]

        # The first builds the root filesystem, where it is not there yet. It also makes all workers fork while there
        # is no other thread: one that forked beside a refresh would hold its pipes open.
        start([0])[0].result(timeout=240)
        before = mounts_here()
        with unrest(toolkit_550, toolkit_550.spec, run_here) as refreshed:
            started = start(range(CONTAINERS - AT_ONCE))
            await_refreshes(refreshed)
            started += start(range(CONTAINERS - AT_ONCE, CONTAINERS))
            outcomes = [future.result(timeout=240) for future in started]
    wrong = [outcome for gpu, _, outcome in outcomes if inside.uuids(outcome.output) != inside.gpu_uuids([gpu])]
    assert not wrong, wrong[:3]
    assert refreshed[0] > ENOUGH_REFRESHES
    assert mounts_here() == before
    names = {name for _, name, _ in outcomes}
    assert len(names) == CONTAINERS
    cgroups = {name for _, found, _ in os.walk("/sys/fs/cgroup/devices") for name in found}
    assert not [one for one in cgroups if any(name in one for name in names)]
    kept = [name for _, _, names in os.walk(toolkit_550.place.state) for name in names]
    assert not [name for name in kept if name.startswith(".")], "no unfinished file stays"
    assert [name for name in os.listdir(f"{toolkit_550.folder}/cdi") if name.startswith(".")] == []
