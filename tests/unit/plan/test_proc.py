import msgspec
import pytest

from linkspan.errors import DeviceNotFound
from linkspan.plan.model import DeviceRequest
from linkspan.plan.proc import gpu_folders
from tests.unit.plan import hosts


def ask(*devices, **more):
    return DeviceRequest(devices=devices, **more)


def test_the_folders_are_named_as_the_kernel_names_them():
    facts = hosts.host(*map(hosts.gpu, range(3)))
    wanted = {gpu.pci_bus_id.lower()[4:] for gpu in facts.gpus if gpu.index in (0, 2)}
    assert set(gpu_folders(facts, ask("2", "0")) or ()) == wanted
    assert all(len(name) == len("0000:1a:00.0") for name in wanted)


def test_a_domain_of_more_digits_keeps_them():
    facts = hosts.host(*map(hosts.gpu, range(3)))
    odd = msgspec.structs.replace(facts.gpus[0], pci_bus_id="00010001:00:00.0")
    facts = msgspec.structs.replace(facts, gpus=(odd, *facts.gpus[1:]))
    assert gpu_folders(facts, ask("0")) == ("10001:00:00.0",)


def test_without_a_gpu_none_is_in_sight():
    assert gpu_folders(hosts.host(*map(hosts.gpu, range(3))), ask("none")) == ()


def test_where_all_are_asked_for_nothing_is_hidden():
    assert gpu_folders(hosts.host(*map(hosts.gpu, range(3))), ask("all")) is None


@pytest.mark.parametrize("wide", ["mig_config", "mig_monitor"])
def test_nor_from_who_manages_mig(wide):
    assert gpu_folders(hosts.host(*map(hosts.gpu, range(3))), ask("0", **{wide: "all"})) is None


@pytest.mark.parametrize("change", [{"platform": "wsl"}, {"gpus": ()}])
def test_nor_where_there_are_no_such_folders(change):
    assert gpu_folders(msgspec.structs.replace(hosts.host(*map(hosts.gpu, range(3))), **change), ask("all")) is None


def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(DeviceNotFound):
        gpu_folders(hosts.host(*map(hosts.gpu, range(3))), ask("77"))
