import os

import pytest

from linkspan.errors import ConfigError
from linkspan.facts.model import HostFacts, Stamp
from linkspan.formats import oci
from linkspan.formats.state import edits_name
from linkspan.formats.toolkit_config import ToolkitConfig
from linkspan.runtime import lookup
from linkspan.store import state
from linkspan.store.state import Search, snapshot

VIEW = {"env": ["NVIDIA_VISIBLE_DEVICES=0"], "annotations": {}, "mounts": [], "privileged": False}
SPEC = {"process": {"env": VIEW["env"]}}


def view_of(spec):
    """The request view of a config.json, under the settings that these tests have."""
    return oci.request_view(spec, [], ["cdi.k8s.io/"])


@pytest.fixture
def path(tmp_path) -> str:
    """A search path with a runc in it."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "runc").write_text("")
    (tmp_path / "bin" / "runc").chmod(0o755)
    return str(tmp_path / "bin")


def test_what_is_kept_is_what_the_start_path_finds(tmp_path, path):
    config = tmp_path / "config.toml"
    config.write_text('swarm-resource = "A, B"\n[nvidia-container-runtime]\ndebug = "/var/log/x"\n')
    read, stamp = state.read_config(str(config))
    switches = state.switches(read, stamp, path)
    state.keep_switches(str(tmp_path / "state"), switches)
    assert lookup.read_switches(str(tmp_path / "state"), str(config), path) == switches
    assert switches["env_names"] == ["A", "B"]
    assert switches["low_level"] == f"{path}/runc"
    assert switches["log"] == "/var/log/x"
    (settings,) = (tmp_path / "state/settings").iterdir()
    assert settings.read_text().splitlines()[2] == stamp.value
    assert lookup.read_switches(str(tmp_path / "state"), str(config), "/other") is None
    config.write_text("disable-require = true\n")
    assert lookup.read_switches(str(tmp_path / "state"), str(config), path) is None


def test_edits_are_found_by_the_same_request_and_configuration_only(tmp_path, path):
    _, stamp = state.read_config(str(tmp_path / "none.toml"))
    switches = state.switches(ToolkitConfig(), stamp, path)
    folder = str(tmp_path / "state")
    state.keep_edits(folder, edits_name(VIEW, switches, "wrapper"), {"env": ["A=1"]}, [])
    assert lookup.read_edits(folder, "wrapper", view_of(SPEC), switches)["edits"] == {"env": ["A=1"]}
    assert (
        lookup.read_edits(folder, "wrapper", view_of({"process": {"env": ["NVIDIA_VISIBLE_DEVICES=1"]}}), switches)
        is None
    )
    other = {**switches, "config": "/other.toml"}
    assert lookup.read_edits(folder, "wrapper", view_of(SPEC), other) is None


def test_edits_whose_stamps_changed_are_not_found(tmp_path, path):
    _, stamp = state.read_config(str(tmp_path / "none.toml"))
    switches = state.switches(ToolkitConfig(), stamp, path)
    witness = tmp_path / "libcuda"
    witness.write_text("1")
    stamps = state.stamp_list((Stamp(kind="file", path=str(witness), value=state.stamps.take("file", str(witness))),))
    state.keep_edits(str(tmp_path), edits_name(VIEW, switches, "wrapper"), {}, stamps)
    assert lookup.read_edits(str(tmp_path), "wrapper", view_of(SPEC), switches)["edits"] == {}
    witness.write_text("22")
    assert lookup.read_edits(str(tmp_path), "wrapper", view_of(SPEC), switches) is None


def test_the_number_of_kept_edits_has_a_bound(tmp_path, path, monkeypatch):
    monkeypatch.setattr(state, "EDITS_KEPT", 8)
    _, stamp = state.read_config(str(tmp_path / "none.toml"))
    switches = state.switches(ToolkitConfig(), stamp, path)
    for number in range(50):
        view = {**VIEW, "env": [f"NVIDIA_VISIBLE_DEVICES={number}"]}
        state.keep_edits(str(tmp_path), edits_name(view, switches, "wrapper"), {}, [])
    assert len(os.listdir(tmp_path / "edits")) <= 8
    assert (
        lookup.read_edits(str(tmp_path), "wrapper", view_of({"process": {"env": view["env"]}}), switches)["edits"] == {}
    )


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path, path):
    (tmp_path / "file").write_text("")
    _, stamp = state.read_config(str(tmp_path / "none.toml"))
    switches = state.switches(ToolkitConfig(), stamp, path)
    state.keep_switches(str(tmp_path / "file"), switches)
    state.keep_edits(str(tmp_path / "file"), edits_name(VIEW, switches, "wrapper"), {}, [])
    assert (tmp_path / "file").read_text() == ""


def test_no_low_level_runtime_is_one_sentence():
    with pytest.raises(ConfigError, match="no low-level runtime was found: looked for nonsense, /no/such"):
        state.find_low_level(("nonsense", "/no/such"), "/nowhere")


def test_facts_are_saved_and_collected_anew_when_a_stamp_changes(tmp_path, monkeypatch):
    witness = tmp_path / "witness"
    witness.write_text("1")
    collected = []

    def collect(search):
        collected.append(search)
        value = state.stamps.take("file", str(witness))
        return HostFacts(root=search.root, stamps=(Stamp(kind="file", path=str(witness), value=value),))

    monkeypatch.setattr(snapshot, "collect", collect)
    search = Search(root="/driver")
    first = state.current_facts(str(tmp_path / "state"), search)
    assert state.current_facts(str(tmp_path / "state"), search) == first
    assert len(collected) == 1
    witness.write_text("22")
    assert state.current_facts(str(tmp_path / "state"), search) != first
    assert state.current_facts(str(tmp_path / "state"), Search(root="/other")).root == "/other"
    assert len(collected) == 3
    (tmp_path / "state" / "facts.json").write_text("{")
    state.current_facts(str(tmp_path / "state"), search)
    assert len(collected) == 4
