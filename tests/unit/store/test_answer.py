"""From a request view to edits: which way each mode goes, and that what asks for nothing never touches the host."""

import pytest

from linkspan.emit import cdi as emit_cdi
from linkspan.emit.cdi_origin import Origin
from linkspan.errors import DeviceNotFound, FormatError, RequirementError, StaleError
from linkspan.facts.model import Stamp
from linkspan.formats import hookargs
from linkspan.formats.oci import NVIDIA_HOOKS
from linkspan.formats.state import HOOK
from linkspan.formats.toolkit_config import parse
from linkspan.kernel import stamps
from linkspan.plan.cdi import CdiOptions, plan_cdi
from linkspan.store import spec_file
from linkspan.store.answer import answer, search_of
from tests import hosts

CONTROL = ["/dev/nvidia-modeset", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidiactl"]


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    return hosts.golden(tmp_path_factory.mktemp("host"))


class Asker:
    """Asks for the edits of a container, with a configuration whose spec folders are in the test's own folder."""

    def __init__(self, facts, folder) -> None:
        self.facts = facts
        self.folder = folder
        self.looked = 0

    def __call__(self, *env: str, config: str = "", **view):
        text = f'{config}\n[nvidia-container-runtime.modes.cdi]\nspec-dirs = ["{self.folder}"]\n'
        whole = {"env": list(env), "annotations": {}, "mounts": [], "privileged": False, **view}
        return answer(whole, parse(text, "config.toml"), "/nowhere", self.host)

    def host(self, _search):
        self.looked += 1
        return self.facts

    def write_spec(self, name: str = "nvidia.yaml", origin: Origin | None = None) -> None:
        document = emit_cdi.document(plan_cdi(self.facts, CdiOptions(mode="nvml")), "/usr/bin/linkspan-hook")
        for node in [n for device in document["devices"] for n in device["containerEdits"]["deviceNodes"]]:
            node["type"] = "c"
        for node in document["containerEdits"]["deviceNodes"]:
            node["type"] = "c"
        spec_file.write(f"{self.folder}/{name}", spec_file.render(document, "yaml", origin))


@pytest.fixture
def ask(facts, tmp_path):
    return Asker(facts, tmp_path / "cdi")


def paths(edits: dict) -> list[str]:
    return [node["path"] for node in edits.get("devices", [])]


def test_a_container_that_asks_for_nothing_starts_on_any_host(ask):
    found = ask("PATH=/bin")
    assert found.edits == {"remove_hooks": list(NVIDIA_HOOKS)}
    assert found.stamps == []
    assert ask.looked == 0


@pytest.mark.parametrize(
    ("request_", "privileged", "shown"),
    [("2", False, ["0000:46:00.0"]), ("none", False, []), ("all", False, None), ("2", True, None)],
)
def test_the_prestart_hook_alone_hides_the_gpus_of_others(ask, request_, privileged, shown):
    view = {"env": [f"NVIDIA_VISIBLE_DEVICES={request_}"], "annotations": {}, "mounts": [], "privileged": privileged}
    found = answer(view, parse("", "config.toml"), "/nowhere", ask.host, HOOK)
    assert found.edits.get("proc_gpus") == shown
    assert "proc_gpus" not in answer(view, parse("", "config.toml"), "/nowhere", ask.host).edits


def test_a_plain_request_is_planned_on_the_host_and_carries_its_stamps(ask):
    found = ask("NVIDIA_VISIBLE_DEVICES=2,0")
    assert paths(found.edits) == ["/dev/nvidia2", "/dev/nvidia0", *CONTROL]
    assert len(found.edits["mounts"]) == 43
    assert found.edits["prepare"]["compat"]["driver"] == "550.163.01"
    assert found.edits["says"] == "2, 0 by NVIDIA_VISIBLE_DEVICES"
    assert found.stamps


def test_legacy_mode_leaves_the_work_to_the_prestart_hook(ask):
    legacy = '[nvidia-container-runtime]\nmode = "legacy"'
    found = ask("NVIDIA_VISIBLE_DEVICES=0", config=legacy)
    path = "/usr/bin/nvidia-container-runtime-hook"
    entry = {"path": path, "args": ["nvidia-container-runtime-hook", "prestart"]}
    assert found.edits == {"ensure_hooks": {"prestart": [entry]}}
    assert ask.looked == 0


def test_a_qualified_name_takes_the_edits_of_the_spec_and_our_hook_becomes_work(ask):
    ask.write_spec()
    found = ask("NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=1")
    assert sorted(paths(found.edits)) == sorted(["/dev/nvidia1", *CONTROL])
    assert len(found.edits["mounts"]) == 43
    assert "hooks" not in found.edits
    planned = ask("NVIDIA_VISIBLE_DEVICES=1").edits
    assert sorted(found.edits["prepare"]["links"]) == sorted(planned["prepare"]["links"])
    assert found.edits["prepare"]["loadables"] == planned["prepare"]["loadables"]
    assert found.edits["prepare"]["profile"] == [1]
    assert str(ask.folder) in [path for _, path, _ in found.stamps]


def test_capabilities_filter_a_spec_too(ask):
    ask.write_spec()
    env = ("NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=1", "NVIDIA_DRIVER_CAPABILITIES=utility")
    edits = ask(*env).edits
    assert sorted(paths(edits)) == ["/dev/nvidia1", "/dev/nvidiactl"]
    mounted = [mount["destination"] for mount in edits["mounts"]]
    assert "/usr/bin/nvidia-smi" in mounted
    assert not [path for path in mounted if "libcuda" in path]
    assert not [path for path, _ in edits["prepare"]["loadables"] if "libcuda" in path]


def test_the_hook_that_may_have_to_do_the_work_is_told_the_same_as_the_runtime(ask):
    ask.write_spec()
    for env in ((), ("NVIDIA_DRIVER_CAPABILITIES=utility",)):
        for device in ("nvidia.com/gpu=1", "1"):
            edits = ask(f"NVIDIA_VISIBLE_DEVICES={device}", *env).edits
            told = hookargs.parse(edits["hook_arguments"], "x86_64")
            assert told["links"] == edits["prepare"]["links"]
            assert told["loadables"] == edits["prepare"]["loadables"]
            assert bool(env) != any("libcuda" in path for path, _ in told["loadables"])


def test_edits_that_rest_on_a_requirement_hold_as_long_as_the_host_is_the_same(ask):
    ask.write_spec()
    plain = ask("NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=1").stamps
    checked = ask("NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=1", "NVIDIA_REQUIRE_CUDA=cuda>=12.1").stamps
    facts = [[stamp.kind, stamp.path, stamp.value] for stamp in ask.facts.stamps]
    assert facts
    assert checked == plain + facts


def test_requirements_are_checked_for_a_spec_too(ask):
    ask.write_spec()
    env = ["NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=1", "NVIDIA_REQUIRE_CUDA=cuda>=13.9"]
    with pytest.raises(RequirementError, match=r"cuda>=13\.9, but this host has cuda=12\.4"):
        ask(*env)
    assert ask(*env, "NVIDIA_DISABLE_REQUIRE=1").edits["devices"]


def test_without_any_spec_of_the_kind_the_device_itself_is_meant(ask):
    found = ask("NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=1")
    assert paths(found.edits) == ["/dev/nvidia1", *CONTROL]


def test_the_devices_themselves_are_meant_only_until_a_spec_is_written(ask):
    found = ask("NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=1").stamps
    of_specs = [tuple(stamp) for stamp in found if stamp[1] == str(ask.folder)]
    assert stamps.stale(of_specs) is None
    ask.write_spec()
    assert stamps.stale(of_specs) == ("absent", str(ask.folder), "")


def test_a_stale_spec_of_ours_is_made_good_from_the_host(ask):
    gone = Stamp(kind="node", path="/dev/nvidia-none", value="195:0")
    ask.write_spec(origin=Origin(version="0", driver="535.1", stamps=(gone,)))
    found = ask("NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=1")
    assert paths(found.edits) == ["/dev/nvidia1", *CONTROL]
    assert ask.looked == 1


def test_a_stale_spec_of_another_kind_is_refused_with_what_to_do(ask):
    gone = Stamp(kind="node", path="/dev/nvidia-none", value="195:0")
    ask.write_spec(origin=Origin(version="0", driver="535.1", stamps=(gone,)))
    config = '[nvidia-container-runtime]\nmode = "cdi"'
    text = (ask.folder / "nvidia.yaml").read_text()
    (ask.folder / "nvidia.yaml").write_text(text.replace("kind: nvidia.com/gpu", "kind: example.com/gpu"))
    with pytest.raises(StaleError, match="was made before /dev/nvidia-none changed"):
        ask("NVIDIA_VISIBLE_DEVICES=example.com/gpu=1", config=config)


def test_a_name_that_no_spec_has_is_refused_with_where_it_was_looked_for(ask):
    ask.write_spec()
    with pytest.raises(DeviceNotFound, match=r"nvidia\.com/gpu=99 is in no CDI spec below"):
        ask("NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=99")
    with pytest.raises(DeviceNotFound, match=r"management\.nvidia\.com/gpu=all is in no CDI spec"):
        ask("NVIDIA_VISIBLE_DEVICES=management.nvidia.com/gpu=all")
    assert ask.looked == 0


def test_a_foreign_device_needs_no_gpu_host(ask):
    ask.folder.mkdir()
    (ask.folder / "net.json").write_text(
        '{"cdiVersion":"0.3.0","kind":"example.com/net","devices":[{"name":"a","containerEdits":{"env":["NET=a"]}}]}'
    )
    found = ask(config='[nvidia-container-runtime]\nmode = "cdi"', annotations={"cdi.k8s.io/x": "example.com/net=a"})
    assert found.edits["env"] == ["NET=a"]
    assert ask.looked == 0


def test_a_view_that_is_no_container_is_refused(ask):
    with pytest.raises(FormatError, match="not an OCI runtime specification"):
        ask(annotations={"cdi.k8s.io/x": 1})


def test_the_configuration_says_where_the_driver_is():
    text = '[nvidia-container-cli]\nroot = "/run/nvidia/driver"\n'
    text += '[nvidia-container-runtime.modes.csv]\nmount-spec-path = "/m"'
    search = search_of(parse(text, "config.toml"))
    assert search.root == "/run/nvidia/driver"
    assert search.csv_files == ("/m/*.csv",)
