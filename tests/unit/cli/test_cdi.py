import io
import json
import sys

import msgspec
import pytest

from linkspan.cli import main
from linkspan.emit.cdi import to_yaml
from linkspan.facts import snapshot
from linkspan.facts.model import CsvEntry, DeviceNode, Driver, Gpu, HostFacts, Library, Stamp
from linkspan.formats.cdi_reader import read

HOOK = "/bin/true"

pytestmark = pytest.mark.usefixtures("own_settings")


@pytest.fixture
def saved(tmp_path):
    """The saved facts of a host with two GPUs."""
    path = str(tmp_path / "facts.json")
    snapshot.save(facts(), path)
    return path


def node(path, minor):
    return DeviceNode(path=path, host_path=path, major=195, minor=minor)


def facts(nvml=True, **fields):
    gpus = [
        Gpu(index=n, minor=n, uuid=f"GPU-{n}", name="T", pci_bus_id=f"00000000:0{n}:00.0", path=f"/dev/nvidia{n}")
        for n in (0, 1)
    ]
    library = Library(path="/lib/libcuda.so.550.1", host_path="/lib/libcuda.so.550.1", soname="libcuda.so.1")
    version = {"proc": "550.1"} | ({"nvml": "550.1"} if nvml else {})
    defaults = {
        "platform": "nvml",
        "driver": Driver(version="550.1", readings=version),
        "devices": (node("/dev/nvidiactl", 255), *(node(gpu.path, gpu.minor) for gpu in gpus)),
        "gpus": tuple(gpus),
        "libraries": (library,),
        "library_folders": ("/lib",),
    }
    return HostFacts(**(defaults | fields))


def run(capsys, *arguments):
    """Exit code, standard output and standard error of ``linkspan cdi``."""
    code = main.run(["cdi", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def generate(capsys, saved, *arguments):
    code, out, err = run(capsys, "generate", "--from", saved, "--hook-path", HOOK, *arguments)
    assert (code, err) == (0, "")
    return out


def names(text):
    document, problems = read(text.encode())
    assert problems == []
    return [device["name"] for device in document["devices"]]


def test_a_spec_is_printed_as_yaml(capsys, saved):
    out = generate(capsys, saved)
    assert out.startswith("---\n# linkspan: {")
    assert names(out) == ["0", "1", "GPU-0", "GPU-1", "all"]
    assert f"path: {HOOK}\n" in out


def test_a_spec_is_printed_as_json(capsys, saved):
    out = generate(capsys, saved, "--format", "JSON")
    assert json.loads(out)["kind"] == "nvidia.com/gpu"
    assert not out.endswith("\n")


def test_options_may_be_repeated_or_hold_lists(capsys, saved):
    spellings = (
        ("--device-name-strategy", "uuid,type-index", "--device-id", "0,1"),
        ("--device-name-strategy=uuid", "--device-name-strategy=type-index", "--device=0", "--devices", "1"),
    )
    for spelling in spellings:
        assert names(generate(capsys, saved, *spelling, "--no-all-device")) == ["GPU-0", "GPU-1", "gpu0", "gpu1"]


def test_vendor_class_and_hooks_may_be_chosen(capsys, saved):
    out = generate(capsys, saved, "--cdi-vendor", "a.com", "--class", "b", "--disable-hooks", "all")
    assert "kind: a.com/b\n" in out
    assert "hooks:" not in out
    assert "--driver-version" in generate(capsys, saved, "--disable-hook", "all", "--enable-hook", "enable-cuda-compat")


def test_a_spec_is_written_to_a_file_by_its_extension(capsys, saved, tmp_path):
    path = tmp_path / "new" / "x.json"
    code, out, err = run(
        capsys, "generate", "--from", saved, "--hook-path", HOOK, "--output", path, "--format", "yaml"
    )  # fmt: skip
    assert (code, out) == (0, "")
    assert err.splitlines() == [
        f"linkspan: {path} is written as JSON, as its extension says, not as YAML",
        f"wrote {path}: 5 devices of nvidia.com/gpu",
    ]
    assert json.loads(path.read_text())["kind"] == "nvidia.com/gpu"


@pytest.mark.parametrize("variable", ["LINKSPAN_CDI_OUTPUT", "NVIDIA_CTK_CDI_OUTPUT_FILE_PATH"])
def test_the_file_may_be_named_by_the_environment(capsys, saved, tmp_path, monkeypatch, variable):
    monkeypatch.setenv(variable, str(tmp_path / "x"))
    assert run(capsys, "generate", "--from", saved, "--hook-path", HOOK)[0] == 0
    assert names((tmp_path / "x.yaml").read_text())[0] == "0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mode", "x"), "--mode is 'x', not one of auto, nvml, wsl, csv,"),
        (("--format", "xml"), "--format is 'xml', not one of json, yaml"),
        (("--device-name-strategy", "index,x"), "--device-name-strategy is 'x', not one of index, uuid, type-index"),
        (("--hook-path", "x"), "--hook-path is 'x', not an absolute path"),
        (("--library-search-path", "x"), "--library-search-path is 'x', not an absolute path"),
        (("--driver-root", "/x"), "--from stands for a whole host: leave out the roots and search paths"),
    ],
)
def test_a_wrong_value_is_wrong_usage_and_the_right_ones_are_listed(capsys, saved, arguments, message):
    code, out, err = run(capsys, "generate", "--from", saved, "--hook-path", HOOK, *arguments)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--disable-hook", "x"), 'there is no hook "x"'),
        (("--feature-flag", "x"), 'there is no feature flag "x"'),
        (("--device-id", "7"), "7"),
        (("--vendor", "1"), "has the vendor '1'"),
        (("--mode", "gds"), "this host has no device node for gds"),
    ],
)
def test_what_cannot_be_granted_is_one_sentence(capsys, saved, arguments, message):
    code, out, err = run(capsys, "generate", "--from", saved, "--hook-path", HOOK, *arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert err.count("linkspan: ") == 1


def test_a_folder_that_cannot_be_made_is_one_sentence_and_nothing_is_written(capsys, saved, tmp_path):
    (tmp_path / "file").write_text("")
    arguments = ("generate", "--from", saved, "--hook-path", HOOK, "--output", tmp_path / "file/x.yaml")
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (3, "")
    assert err == f"linkspan: cannot make the folder {tmp_path}/file: File exists\n"
    assert (tmp_path / "file").read_text() == ""


def test_a_hook_that_is_not_there_is_a_warning(capsys, saved, tmp_path):
    _, _, err = run(capsys, "generate", "--from", saved, "--hook-path", tmp_path / "no-hook")
    assert err.splitlines() == [
        f"linkspan: the hook {tmp_path}/no-hook is not there, and containers need it",
        "hint: put it in place with 'linkspan install'",
    ]


def test_gpus_that_nvml_did_not_tell_of_are_a_warning(capsys, tmp_path):
    snapshot.save(facts(nvml=False), str(tmp_path / "facts.json"))
    code, _, err = run(capsys, "generate", "--from", tmp_path / "facts.json", "--hook-path", HOOK)
    assert code == 0
    assert err.startswith("linkspan: NVML did not answer, so GPUs are as /proc knows them, and MIG is not seen (")


def test_links_of_csv_files_may_be_left_out(capsys, tmp_path):
    entries = [
        CsvEntry(type="dev", path="/dev/nvidia0", source="d:1", host_path="/dev/nvidia0"),
        *(
            CsvEntry(type="sym", path=path, source="l:1", host_path="/t/final", final="/t/final")
            for path in ("/t/a.so", "/t/b.so", "/u/c.so")
        ),
    ]
    path = str(tmp_path / "facts.json")
    snapshot.save(facts(platform="tegra", csv=tuple(entries)), path)
    everything = generate(capsys, path, "--mode", "csv")
    some = generate(capsys, path, "--mode", "csv", "--csv.ignore-pattern", "/t/*,**/c.so")
    assert "/t/final" in everything
    assert "/t/final" not in some


def test_a_driver_root_without_a_driver_is_one_sentence(capsys, tmp_path):
    code, out, err = run(capsys, "generate", "--driver-root", tmp_path, "--hook-path", HOOK)
    assert (code, out) == (1, "")
    assert f"below {tmp_path}" in err


def test_the_root_comes_from_the_configuration_where_none_is_given(capsys, tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "config.toml").write_text(f'[nvidia-container-cli]\nroot = "{tmp_path}/root"\n')
    _, _, err = run(capsys, "generate", "--hook-path", HOOK)
    assert f"below {tmp_path}/root" in err


def spec(*devices):
    edits = {"env": ["A=b"]}
    return {
        "cdiVersion": "0.5.0",
        "kind": "nvidia.com/gpu",
        "devices": [{"name": name, "containerEdits": edits} for name in devices],
    }


def test_devices_are_listed_sorted_and_counted(capsys, tmp_path):
    (tmp_path / "a.yaml").write_text(to_yaml(spec("b", "0", "a")))
    code, out, err = run(capsys, "list", "--spec-dir", tmp_path)
    assert code == 0
    assert out.splitlines() == ["nvidia.com/gpu=0", "nvidia.com/gpu=a", "nvidia.com/gpu=b"]
    assert err == "found 3 CDI devices\n"


def test_conflicts_and_broken_files_are_warnings_with_their_cause(capsys, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(to_yaml(spec("0")))
    (tmp_path / "c.yaml").write_text("kind: x")
    code, out, err = run(capsys, "list", "--spec-dir", tmp_path)
    assert (code, out) == (0, "")
    assert err.splitlines() == [
        "found 0 CDI devices",
        f"linkspan: nvidia.com/gpu=0 is defined by {tmp_path}/a.yaml and {tmp_path}/b.yaml, so engines use neither",
        f"linkspan: left out: {tmp_path}/c.yaml:1: cdiVersion is missing (and 2 more)",
    ]


def test_the_list_is_also_there_as_json(capsys, tmp_path):
    (tmp_path / "a.yaml").write_text(to_yaml(spec("0")))
    _, out, _ = run(capsys, "list", "--spec-dir", tmp_path, "--json")
    assert json.loads(out) == {
        "devices": [{"name": "nvidia.com/gpu=0", "file": f"{tmp_path}/a.yaml"}],
        "conflicts": {},
        "broken": {},
    }


def test_a_valid_file_is_said_to_be_valid(capsys, tmp_path):
    (tmp_path / "a.yaml").write_text(to_yaml(spec("0")))
    assert run(capsys, "validate", tmp_path / "a.yaml") == (
        0, f"{tmp_path}/a.yaml: valid, 1 device of nvidia.com/gpu, CDI 0.5.0\n", "",
    )  # fmt: skip


def test_every_problem_of_every_file_is_printed_with_line_and_address(capsys, tmp_path):
    (tmp_path / "a.yaml").write_text("cdiVersion: 0.5.0\nkind: gpu\ndevices:\n- name: 0\n")
    (tmp_path / "b.json").write_text('{"kind": "a/b",\n"devices": []}')
    code, out, err = run(capsys, "validate", tmp_path / "a.yaml", tmp_path / "b.json")
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        f"{tmp_path}/a.yaml:2: kind is 'gpu', not VENDOR/CLASS",
        f"{tmp_path}/a.yaml:4: devices[0].containerEdits is empty: the device would add nothing to a container",
        f"{tmp_path}/b.json:1: cdiVersion is missing",
        f"{tmp_path}/b.json:2: devices holds no device",
    ]


def test_standard_input_is_checked_too_and_json_is_printed(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[")))
    code, out, _ = run(capsys, "validate", "-", "--json")
    assert code == 1
    [result] = json.loads(out)
    assert (result["file"], result["valid"]) == ("standard input", False)
    assert result["problems"][0]["line"] == 1


def test_a_file_that_is_not_there_does_not_hide_the_verdict_on_others(capsys, tmp_path):
    (tmp_path / "a.yaml").write_text(to_yaml(spec("0")))
    code, out, _ = run(capsys, "validate", tmp_path / "x.yaml", tmp_path / "a.yaml")
    assert code == 1
    assert out.splitlines() == [
        f"{tmp_path}/x.yaml: the spec cannot be read: no such file or directory",
        f"{tmp_path}/a.yaml: valid, 1 device of nvidia.com/gpu, CDI 0.5.0",
    ]


@pytest.fixture
def live(monkeypatch):
    """Stands in for the look at a host; the facts that it finds may be changed."""
    found = [facts()]
    monkeypatch.setattr(snapshot, "collect", lambda search: found[0])
    return found


def refresh(capsys, tmp_path, *arguments):
    output = ("--output", tmp_path / "cdi/nvidia.yaml", "--state-dir", tmp_path / "state")
    return run(capsys, "refresh", *output, "--hook-path", HOOK, *arguments)


def with_nodes(tmp_path):
    """Facts of a host below a folder, whose nodes are files."""
    nodes = [msgspec.structs.replace(one, host_path=f"{tmp_path}{one.path}") for one in facts().devices]
    (tmp_path / "dev").mkdir()
    for one in nodes:
        (tmp_path / one.path.lstrip("/")).write_text("")
    return facts(dev_root=str(tmp_path), devices=tuple(nodes))


def test_a_refresh_keeps_the_links_in_dev_char_unless_told_not_to(capsys, tmp_path, live):
    live[0] = with_nodes(tmp_path)
    assert refresh(capsys, tmp_path, "--no-dev-char")[::2] == (0, "")
    assert not (tmp_path / "dev/char").exists()
    code, out, err = refresh(capsys, tmp_path)
    assert (code, err) == (0, "")
    assert f"{tmp_path}/dev/char: 3 links to device nodes made, 0 removed\n" in out
    assert sorted(path.name for path in (tmp_path / "dev/char").iterdir()) == ["195:0", "195:1", "195:255"]
    assert refresh(capsys, tmp_path)[::2] == (0, "")


def test_where_no_links_can_be_made_a_refresh_says_so_once_and_goes_on(capsys, tmp_path, live):
    live[0] = with_nodes(tmp_path)
    (tmp_path / "dev/char").write_text("")
    code, out, err = refresh(capsys, tmp_path)
    assert code == 0
    assert out.startswith("wrote ")
    assert err.splitlines()[0].startswith("linkspan: the links to device nodes are not kept: cannot make the folder ")
    assert err.splitlines()[1:] == ["hint: --no-dev-char leaves them be"]


def test_a_refresh_says_in_one_line_what_it_did(capsys, tmp_path, live):
    path = tmp_path / "cdi/nvidia.yaml"
    assert refresh(capsys, tmp_path) == (0, f"wrote {path}: 5 devices, driver 550.1\n", "")
    assert refresh(capsys, tmp_path) == (0, f"{path} is up to date: 5 devices, driver 550.1\n", "")
    live[0] = facts(gpus=facts().gpus[:1])
    code, out, _ = refresh(capsys, tmp_path)
    assert code == 0
    assert out.endswith("; 2 devices gone: 1, GPU-1\n")
    assert snapshot.load(str(tmp_path / "state/facts.json")) == live[0]


def test_a_refresh_that_finds_no_driver_leaves_the_spec_alone(capsys, tmp_path, live):
    refresh(capsys, tmp_path)
    before = (tmp_path / "cdi/nvidia.yaml").read_text()
    live[0] = HostFacts()
    code, out, err = refresh(capsys, tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith("linkspan: no NVIDIA driver was found")
    assert (tmp_path / "cdi/nvidia.yaml").read_text() == before


def test_watching_refreshes_when_a_witness_changes_and_says_a_failure_once(capsys, tmp_path, live, monkeypatch):
    """Time is a list of what happens at each look; after the last one, Ctrl-C."""
    witness = tmp_path / "version"
    witness.write_text("550.1")
    path = tmp_path / "cdi/nvidia.yaml"

    def with_witness(found):
        value = witness.read_text()
        return msgspec.structs.replace(found, stamps=(Stamp(kind="text", path=str(witness), value=value),))

    def fewer_gpus():
        witness.write_text("550.2")
        live[0] = with_witness(facts(gpus=facts().gpus[:1]))

    def driver_gone():
        witness.write_text("")
        live[0] = HostFacts()

    def driver_back():
        live[0] = with_witness(facts())

    def nothing():
        pass

    def interrupt():
        raise KeyboardInterrupt

    live[0] = with_witness(facts())
    coming = iter([nothing, nothing, fewer_gpus, nothing, driver_gone, nothing, driver_back, nothing, interrupt])
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        next(coming)()

    monkeypatch.setattr("linkspan.store.refresh.time.sleep", sleep)
    code, out, err = refresh(capsys, tmp_path, "--watch", "2.5")
    assert code == 130
    assert set(slept) == {2.5}
    first, second, third = out.splitlines()
    assert first == f"wrote {path}: 5 devices, driver 550.1"
    assert second.endswith("; 2 devices gone: 1, GPU-1")
    assert third.startswith(f"wrote {path}: 5 devices")
    assert err.count("no NVIDIA driver was found") == 1
