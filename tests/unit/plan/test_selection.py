import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import DeviceNotFound, LinkspanError, RequestError
from linkspan.plan.selection import available, select
from tests.unit.plan.hosts import changed, gpu, h100x8, host, mig

FOUR = host(gpu(0, minor=3), gpu(1, minor=2), gpu(2, minor=1), gpu(3, minor=0))
MIXED = host(gpu(0), gpu(1, mig=[mig(0, 1, gi=1), mig(1, 1, gi=2, ci=1)]), gpu(2, mig_enabled=True))


def chosen(facts, *ids):
    return [choice.index for choice in select(facts, ids).choices]


def test_devices_come_in_the_order_asked_and_only_once():
    assert chosen(FOUR, "2", "0", "2", FOUR.gpus[0].uuid) == ["2", "0"]


def test_an_index_is_nvmls_not_the_minor():
    assert select(FOUR, ["0"]).gpus[0].path == "/dev/nvidia3"


@pytest.mark.parametrize("spelled", ["1", "01", "0000:1b:00.0", "00000000:1B:00.0", "1b:00.0", "0:1b:0.0"])
def test_index_and_pci_bus_id_are_read_with_any_padding(spelled):
    assert chosen(FOUR, spelled) == ["1"]


@pytest.mark.parametrize("cut", [5, 12, 40])
def test_a_uuid_or_a_prefix_that_only_one_gpu_has_selects_it_in_either_case(cut):
    facts = host(gpu(0), changed(gpu(1), uuid="GPU-beef0000-aaaa-bbbb-cccc-000000000000"))
    for spelled in (facts.gpus[1].uuid[:cut], facts.gpus[1].uuid[:cut].upper()):
        assert chosen(facts, spelled) == ["1"]


def test_a_prefix_of_several_uuids_is_an_error_that_lists_them():
    with pytest.raises(RequestError) as caught:
        select(h100x8(), ["GPU-01000100"])
    assert not isinstance(caught.value, DeviceNotFound)
    for found in h100x8().gpus:
        assert found.uuid in caught.value.message


def test_a_whole_uuid_wins_over_a_longer_one_that_begins_with_it():
    facts = host(changed(gpu(0), uuid="GPU-1"), changed(gpu(1), uuid="GPU-11"))
    assert chosen(facts, "GPU-1") == ["0"]


def test_all_skips_gpus_in_mig_mode_and_lists_their_mig_devices():
    assert chosen(MIXED, "all") == ["0", "1:0", "1:1"]
    assert available(MIXED) == ["0", "1:0", "1:1"]


def test_a_gpu_in_mig_mode_can_still_be_asked_for_by_itself():
    assert chosen(MIXED, "1") == ["1"]


@pytest.mark.parametrize(
    "spelled",
    [
        "1:1",
        MIXED.gpus[1].mig[1].uuid,
        MIXED.gpus[1].mig[1].uuid[:7].lower(),
        f"MIG-{MIXED.gpus[1].uuid}/2/1",
        f"mig-{MIXED.gpus[1].uuid}/2/1".upper(),
    ],
)
def test_a_mig_device_is_found_by_indices_uuid_prefix_and_the_old_form(spelled):
    selection = select(MIXED, [spelled])
    assert [(parent.index, part.index) for parent, part in selection.mig] == [(1, 1)]
    assert [parent.index for parent in selection.gpus] == [1]


def test_none_is_no_device():
    assert chosen(FOUR, "none") == []


@pytest.mark.parametrize(
    "unknown",
    [
        "4",
        "0:0",
        "banana",
        "GPU-",
        "GPU-9",
        "MIG-0",
        "99:00.0",
        "-1",
        "",
        "MIG-GPU-0/1/0",
        "1" * 40,
        "٣",
        f"GPU-{'f' * 99}",
    ],
)
def test_an_id_that_does_not_exist_is_one_line_with_what_there_is(unknown):
    with pytest.raises(DeviceNotFound) as caught:
        select(FOUR, ["0", unknown])
    assert caught.value.message.endswith("was asked for, but this host has GPUs 0, 1, 2, 3")
    assert "linkspan facts" in caught.value.hint
    assert "\n" not in str(caught.value)


def test_all_ids_that_do_not_exist_are_named_together():
    with pytest.raises(DeviceNotFound, match='"7", "8" and "x" were asked for'):
        select(FOUR, ["7", "0", "8", "x"])


def test_what_there_is_names_mig_devices_too():
    with pytest.raises(DeviceNotFound, match="GPUs and MIG devices 0, 1:0, 1:1"):
        select(MIXED, ["5"])


@pytest.mark.parametrize(
    ("facts", "said"),
    [(host(), "this host has no GPU"), (host(gpu(0, mig_enabled=True)), "in MIG mode and has no MIG device")],
)
def test_all_of_nothing_is_an_error(facts, said):
    with pytest.raises(DeviceNotFound, match=said):
        select(facts, ["all"])


def test_many_devices_are_listed_in_short():
    with pytest.raises(DeviceNotFound, match=r"GPUs 0, 1, … 63 \(64 in all\)"):
        select(host(*(gpu(index) for index in range(64))), ["64"])


@given(st.lists(st.one_of(st.text(max_size=80), st.from_regex(r"(GPU-|MIG-)?[0-9a-f:./-]{0,50}")), max_size=5))
@settings(max_examples=200, deadline=None)
def test_arbitrary_ids_are_found_or_refused_in_one_line(ids):
    try:
        select(MIXED, ids)
    except LinkspanError as error:
        assert "\n" not in error.message
