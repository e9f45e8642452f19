"""MIG devices of a simulated A100 and H100, in real containers."""

from collections.abc import Iterator

import pytest

from linkspan.sim.create import load
from linkspan.sim.spec import SimGpu, SimSpec, gpus
from tests import driver_files
from tests.containers import Outcome, Runtime, new_bundle, run
from tests.privileged import inside
from tests.rootfs import fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged

# GPU 0 is cut into three, GPU 1 is left whole.
HOSTS = {
    "A100": SimSpec(gpus=2, model="A100", mig=("1g.5gb", "2g.10gb", "3g.20gb"), mig_on=(0,)),
    "H100": SimSpec(gpus=2, model="H100", mig=("1g.10gb", "2g.20gb", "3g.40gb"), mig_on=(0,)),
}

LIST_ALL = ("/bin/sh", "-c", "nvidia-smi -L; ls /dev /dev/nvidia-caps")


@pytest.fixture(scope="module", params=HOSTS)
def toolkit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toolkit]:
    with driver_files.gpu_host("550", HOSTS[request.param]) as root:
        folder = tmp_path_factory.mktemp("mig")
        yield Toolkit(str(folder), root)


def simulated(toolkit: Toolkit) -> tuple[SimGpu, ...]:
    return gpus(load(toolkit.driver_root).spec)


def start(toolkit: Toolkit, runtime: Runtime, request: str) -> Outcome:
    with fresh_root() as root, new_bundle(root, *LIST_ALL) as bundle:
        return run(runtime, bundle.env(f"NVIDIA_VISIBLE_DEVICES={request}"), toolkit.over(runtime))


def nodes(outcome: Outcome) -> set[str]:
    """The GPU and MIG capability nodes among what ``ls`` printed."""
    words = outcome.output.split()
    return {word for word in words if (word.startswith("nvidia-cap") and word[-1].isdecimal()) or word in GPU_NODES}


GPU_NODES = ("nvidia0", "nvidia1")


@pytest.mark.parametrize("spelling", ["0:1", "uuid"])
def test_one_mig_device_comes_with_its_parent_and_its_two_capabilities(
    toolkit: Toolkit, runtime: Runtime, spelling: str
) -> None:
    mig = simulated(toolkit)[0].mig[1]
    outcome = start(toolkit, runtime, mig.uuid if spelling == "uuid" else spelling)
    assert outcome.exit == 0, outcome
    assert nodes(outcome) == {"nvidia0", f"nvidia-cap{mig.gi_cap}", f"nvidia-cap{mig.ci_cap}"}
    assert [uuid for uuid in inside.uuids(outcome.output) if uuid.startswith("MIG")] == [mig.uuid]


def test_all_takes_the_mig_devices_and_the_whole_gpus_but_not_as_a_device_the_parent(
    toolkit: Toolkit, runc: Runtime
) -> None:
    cut, whole = simulated(toolkit)
    outcome = start(toolkit, runc, "all")
    expected = {f"nvidia-cap{cap}" for mig in cut.mig for cap in (mig.gi_cap, mig.ci_cap)}
    assert nodes(outcome) == expected | {"nvidia0", "nvidia1"}, outcome
    listed = [uuid for uuid in inside.uuids(outcome.output) if uuid != cut.uuid]
    assert sorted(listed) == sorted([whole.uuid, *(mig.uuid for mig in cut.mig)])


def test_a_whole_gpu_beside_comes_without_any_capability_node(toolkit: Toolkit, runc: Runtime) -> None:
    outcome = start(toolkit, runc, "1")
    assert nodes(outcome) == {"nvidia1"}, outcome
    assert inside.uuids(outcome.output) == [simulated(toolkit)[1].uuid]


def test_a_mig_device_that_is_not_there_is_refused_in_one_sentence(toolkit: Toolkit, runc: Runtime) -> None:
    outcome = start(toolkit, runc, "1:0")
    assert outcome.created == 1
    assert outcome.exit is None
    assert "1:0" in outcome.last_line
