import os
import stat

import pytest

from linkspan.errors import HostError, SpecError
from linkspan.facts import snapshot
from linkspan.facts.model import Driver, HostFacts
from linkspan.store import spec_file
from linkspan.store.refresh import asked_nvml, refresh


@pytest.fixture
def host(tmp_path):
    """Files that a driver may have, and a place for spec and state."""
    for name in ("libcuda.so.550.1", "libnvidia-ml.so.550.1", "nvidia-smi"):
        (tmp_path / name).write_text("")
    return tmp_path


def facts(version="550.1", nvml=True):
    readings = {"proc": version} | ({"nvml": version} if nvml else {})
    return HostFacts(platform="nvml", driver=Driver(version=version, readings=readings))


def spec(host, *names, files=("libcuda.so.550.1", "libnvidia-ml.so.550.1"), node="/dev/null"):
    nodes = [{"path": "/dev/nvidia0", "hostPath": node, "fileMode": 438}]
    mounts = [{"hostPath": f"{host}/{name}", "containerPath": f"/lib/{name}"} for name in files]
    return {
        "cdiVersion": "0.5.0",
        "kind": "nvidia.com/gpu",
        "devices": [{"name": name, "containerEdits": {"deviceNodes": nodes}} for name in names],
        "containerEdits": {"mounts": mounts},
    }


def run(host, document, found=None, **options):
    return refresh(document, found or facts(), f"{host}/cdi/nvidia.yaml", f"{host}/state", **options)


def content(host):
    return spec_file.read(f"{host}/cdi/nvidia.yaml").document


def test_the_first_spec_is_written_and_the_facts_kept(host):
    outcome = run(host, spec(host, "0", "1"))
    assert outcome.written
    assert outcome.summary == f"wrote {host}/cdi/nvidia.yaml: 2 devices, driver 550.1"
    assert content(host) == spec(host, "0", "1")
    assert snapshot.load(f"{host}/state/facts.json") == facts()
    assert stat.S_IMODE(os.stat(outcome.path).st_mode) == 0o644


def test_an_unchanged_spec_is_not_written_again(host):
    run(host, spec(host, "0"))
    before = os.stat(f"{host}/cdi/nvidia.yaml")
    outcome = run(host, spec(host, "0"))
    assert not outcome.written
    assert outcome.summary == f"{host}/cdi/nvidia.yaml is up to date: 1 device, driver 550.1"
    assert os.stat(f"{host}/cdi/nvidia.yaml").st_ino == before.st_ino


def test_changes_are_told_in_one_line(host):
    run(host, spec(host, "0", "1"))
    files = ("libcuda.so.550.1", "libnvidia-ml.so.550.1", "nvidia-smi")
    outcome = run(host, spec(host, "0", "2", "3", "4", "5", files=files))
    assert outcome.summary.endswith(
        ": 5 devices, driver 550.1; 4 devices added: 2, 3, 4, …; 1 device gone: 1; 1 file added: /lib/nvidia-smi"
    )


def test_a_change_of_the_edits_or_of_the_origin_alone_is_told(host):
    run(host, spec(host, "0"))
    changed = spec(host, "0", node="/dev/zero")
    assert run(host, changed).summary.endswith("; its edits changed")
    assert run(host, changed, facts("550.1.0")).summary.endswith("; only its origin changed")


def test_fewer_devices_by_the_word_of_nvml_are_the_truth(host):
    run(host, spec(host, "0", "1"))
    assert run(host, spec(host, "0")).written


def test_devices_that_are_lost_since_nvml_failed_keep_the_good_spec(host):
    run(host, spec(host, "0", "MIG-1"))
    with pytest.raises(HostError) as caught:
        run(host, spec(host, "0"), facts(nvml=False))
    assert caught.value.message == (
        f"{host}/cdi/nvidia.yaml is kept, since the new spec would lack 1 device whose nodes are still there "
        "(NVML did not answer)"
    )
    assert "--force" in caught.value.hint
    assert content(host) == spec(host, "0", "MIG-1")


def test_a_spec_with_none_of_the_devices_of_the_good_one_keeps_it(host):
    run(host, spec(host, "0"))
    with pytest.raises(HostError, match="would lack 1 device whose nodes are still there; "):
        run(host, spec(host, "none"))


def test_devices_whose_nodes_are_gone_are_no_loss(host):
    run(host, spec(host, "0", node=f"{host}/gone"))
    assert run(host, spec(host, "1"), facts(nvml=False)).written


@pytest.mark.parametrize("lost", ["libcuda.so.550.1", "libnvidia-ml.so.550.1"])
def test_a_spec_without_an_essential_library_keeps_the_good_one(host, lost):
    run(host, spec(host, "0"))
    left = [name for name in ("libcuda.so.550.1", "libnvidia-ml.so.550.1") if name != lost]
    with pytest.raises(HostError, match=f"would lack {lost.removesuffix('.550.1')}"):
        run(host, spec(host, "0", files=left))
    assert content(host) == spec(host, "0")


def test_other_files_may_go(host):
    files = ("libcuda.so.550.1", "libnvidia-ml.so.550.1", "nvidia-smi")
    run(host, spec(host, "0", files=files))
    assert run(host, spec(host, "0")).written


def test_an_essential_library_that_is_gone_is_no_reason_to_give_out_half_a_driver(host):
    run(host, spec(host, "0"))
    os.unlink(host / "libcuda.so.550.1")
    with pytest.raises(HostError, match="would lack libcuda"):
        run(host, spec(host, "0", files=("libnvidia-ml.so.550.1",)))


def test_a_spec_without_the_node_of_unified_memory_keeps_the_good_one(host):
    good = spec(host, "0")
    good["containerEdits"]["deviceNodes"] = [{"path": "/dev/nvidia-uvm"}]
    run(host, good)
    with pytest.raises(HostError, match="would lack nvidia-uvm"):
        run(host, spec(host, "0"))


def test_the_devices_of_a_spec_that_names_a_file_which_is_gone_are_no_reason_to_keep_it(host):
    files = ("libcuda.so.550.1", "libnvidia-ml.so.550.1", "nvidia-smi")
    run(host, spec(host, "0", "1", files=files))
    os.unlink(host / "nvidia-smi")
    assert run(host, spec(host, "x"), facts(nvml=False)).written


def test_a_refused_refresh_leaves_the_facts_alone(host):
    run(host, spec(host, "0"))
    before = os.stat(f"{host}/state/facts.json").st_ino
    with pytest.raises(HostError):
        run(host, spec(host, "1"), facts(nvml=False))
    assert os.stat(f"{host}/state/facts.json").st_ino == before


def test_force_writes_a_poorer_spec(host):
    run(host, spec(host, "0"))
    assert run(host, spec(host, "none", files=()), facts(nvml=False), force=True).written


def test_what_is_no_valid_spec_is_replaced(host):
    os.mkdir(f"{host}/cdi")
    for text in ("kind: x", "[", "\0"):
        (host / "cdi/nvidia.yaml").write_text(text)
        assert run(host, spec(host, "0")).written


def test_an_invalid_spec_is_never_written(host):
    with pytest.raises(SpecError):
        run(host, spec(host))
    assert not os.path.exists(f"{host}/cdi")


def test_the_list_of_gpus_is_nvmls_word_where_nvml_told_a_version():
    assert asked_nvml(facts())
    assert not asked_nvml(facts(nvml=False))
