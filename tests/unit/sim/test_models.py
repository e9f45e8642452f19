import pytest

from linkspan.errors import RequestError
from linkspan.sim import models


def test_names_are_taken_in_any_case_and_by_their_common_names() -> None:
    assert models.model("h100") is models.model("H100-80GB") is models.MODELS["H100"]
    assert models.model("A100-40gb") is models.MODELS["A100"]


def test_an_unknown_model_is_refused_with_the_list() -> None:
    with pytest.raises(RequestError, match="no GPU model RTX") as refusal:
        models.model("RTX")
    assert "H100" in refusal.value.hint


@pytest.mark.parametrize("name", models.MODELS)
def test_every_model_has_an_nvidia_pci_id_and_the_driver_it_takes(name: str) -> None:
    model = models.MODELS[name]
    assert model.pci_device & 0xFFFF == model.pci_subsystem & 0xFFFF == 0x10DE
    assert int(model.driver.partition(".")[0]) >= model.first_branch


@pytest.mark.parametrize("name", models.with_mig())
def test_mig_profiles_are_named_by_their_slices_and_memory_and_fit_on_the_gpu(name: str) -> None:
    model = models.MODELS[name]
    for profile in model.profiles:
        slices, gigabytes = profile.name.removesuffix("gb").split("g.")
        assert int(slices) == profile.slices
        assert abs(int(gigabytes) * 1024 - profile.memory_mib) < 3072
        assert profile.memory_mib <= model.memory_mib
        assert profile.multiprocessors <= model.multiprocessors


def test_a_profile_of_another_model_is_refused_with_those_there_are() -> None:
    with pytest.raises(RequestError, match=r"NVIDIA H200 has no MIG profile 1g\.10gb") as refusal:
        models.model("H200").profile("1g.10gb")
    assert refusal.value.hint.startswith("its profiles are 1g.18gb")


def test_a_model_without_mig_names_those_that_have_it() -> None:
    with pytest.raises(RequestError) as refusal:
        models.model("T4").profile("1g.10gb")
    assert "A100" in refusal.value.hint


@pytest.mark.parametrize(
    ("driver", "cuda"),
    [("550.163.01", 12040), ("535.261.03", 12020), ("552.12", 12040), ("600.1", 13010), ("390.1", 11000)],
)
def test_a_driver_has_the_cuda_of_its_branch_or_of_the_last_one_known_before(driver: str, cuda: int) -> None:
    assert models.cuda_version(driver) == cuda
