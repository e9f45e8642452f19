import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import RequestError
from linkspan.sim import models, spec
from linkspan.sim.spec import SimSpec

GOLDEN = os.path.join(os.path.dirname(__file__), "../../golden/h100x8-550/nvml.json")


def test_eight_h100s_are_those_of_the_recorded_host() -> None:
    with open(GOLDEN, encoding="utf-8") as file:
        recorded = json.load(file)["gpus"]
    simulated = [
        {
            "index": gpu.index,
            "minor": gpu.minor,
            "uuid": gpu.uuid,
            "name": gpu.model.name,
            "pci_bus_id": f"{gpu.domain:08X}:{gpu.bus:02X}:00.0",
            "memory_mib": 81920,  # as the recorded host had it; nvidia-smi shows 81559
            "compute_capability": "9.0",
        }
        for gpu in spec.gpus(SimSpec(gpus=8, model="H100"))
    ]
    assert simulated == recorded


def test_each_of_64_gpus_has_an_address_of_its_own() -> None:
    gpus = spec.gpus(SimSpec(gpus=64))
    assert len({gpu.bus_id for gpu in gpus}) == len({gpu.uuid for gpu in gpus}) == 64
    assert [gpu.bus_id for gpu in gpus] == sorted(gpu.bus_id for gpu in gpus)


def test_minors_can_run_against_the_order_of_the_bus() -> None:
    assert [gpu.minor for gpu in spec.gpus(SimSpec(gpus=3, shuffled_minors=True))] == [2, 1, 0]


# GPU instance ids and capability minors as in the examples of the MIG User Guide.
@pytest.mark.parametrize(
    ("cut", "instances"),
    [
        ("1g.10gb", [(gi, 3 + 9 * gi) for gi in range(7, 14)]),
        ("3g.40gb,3g.40gb", [(1, 12), (2, 21)]),
        ("1g.10gb,2g.20gb,4g.40gb", [(1, 12), (5, 48), (13, 120)]),
        ("2g.20gb", [(3, 30), (4, 39), (5, 48)]),
        ("1g.20gb", [(3, 30), (4, 39), (5, 48), (6, 57)]),
        ("7g.80gb", [(0, 3)]),
    ],
)
def test_instances_have_the_ids_and_capabilities_that_the_driver_gives(
    cut: str, instances: list[tuple[int, int]]
) -> None:
    (gpu,) = spec.gpus(SimSpec(mig=tuple(cut.split(","))))
    assert [(mig.gi, mig.gi_cap) for mig in gpu.mig] == instances
    assert all(mig.ci_cap == mig.gi_cap + 1 for mig in gpu.mig)


def test_the_last_capability_of_32_gpus_is_the_4322nd() -> None:
    # gpu31/gi14/ci7/access 4322 is the last line of mig-minors on every host.
    assert spec.FIRST_CAP + 31 * spec.CAPS_OF_GPU + 14 * spec.CAPS_OF_INSTANCE + 1 + 7 == 4322


def test_capabilities_follow_the_minor_and_not_the_index() -> None:
    first, last = spec.gpus(SimSpec(gpus=2, mig=("7g.80gb",), shuffled_minors=True))
    assert (first.mig[0].gi_cap, last.mig[0].gi_cap) == (138, 3)


def test_only_the_named_gpus_are_cut() -> None:
    assert [bool(gpu.mig) for gpu in spec.gpus(SimSpec(gpus=3, mig=("1g.10gb",), mig_on=(1,)))] == [False, True, False]


@settings(max_examples=200, deadline=None)
@given(data=st.data(), name=st.sampled_from(models.with_mig()))
def test_instances_never_overlap_nor_exceed_the_gpu(data: st.DataObject, name: str) -> None:
    model = models.model(name)
    cut = data.draw(st.lists(st.sampled_from([profile.name for profile in model.profiles]), max_size=8))
    try:
        placed = spec.place(model, tuple(cut))
    except RequestError as refusal:
        assert "does not fit" in refusal.message
        return
    slots = [slot for profile, start in placed for slot in range(start, start + profile.slots)]
    assert len(slots) == len(set(slots)) and set(slots) <= set(range(8))
    assert sum(profile.slices for profile, _ in placed) <= 7
    assert len(cut) == 1 or sorted(profile.name for profile, _ in placed) == sorted(cut)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (SimSpec(gpus=-1), "-1 GPUs asked for"),
        (SimSpec(gpus=65), "65 GPUs asked for"),
        (SimSpec(driver="550"), "'550' is not a driver version"),
        (SimSpec(driver="550.x"), "'550.x' is not a driver version"),
        (SimSpec(model="B200", driver="550.163.01"), "driver 550.163.01 does not know NVIDIA B200"),
        (SimSpec(gpus=2, mig=("1g.10gb",), mig_on=(2,)), "no GPU 2 to cut with MIG"),
        (SimSpec(mig=("3g.40gb", "4g.40gb", "1g.10gb")), "does not fit on one NVIDIA H100"),
        (SimSpec(mig=("9g.1gb",)), "has no MIG profile 9g.1gb"),
    ],
)
def test_a_host_that_cannot_be_is_refused(bad: SimSpec, message: str) -> None:
    with pytest.raises(RequestError) as refusal:
        spec.gpus(bad)
    assert message in refusal.value.message
