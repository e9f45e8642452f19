import io
import json
import os
import sys

import pytest

from linkspan.cli import main
from linkspan.emit.cdi import to_yaml
from linkspan.facts import snapshot
from linkspan.facts.model import Stamp
from linkspan.facts.snapshot import Search
from linkspan.formats.cdi_reader import read
from tests.unit.plan.hosts import changed, h100x8

HOOK = "/bin/true"


@pytest.fixture(autouse=True)
def searches(monkeypatch):
    """The recorded host in place of this machine; where it was looked for."""
    seen = []

    def collect(search=None):
        seen.append(search)
        facts = h100x8()
        return changed(facts, driver=changed(facts.driver, readings={"nvml": facts.driver.version}))

    monkeypatch.setattr(snapshot, "collect", collect)
    return seen


@pytest.fixture
def generate(nvidia_ctk):
    def run(*arguments):
        code, out, err = nvidia_ctk("cdi", "generate", "--nvidia-cdi-hook-path", HOOK, *arguments)
        assert (code, err) == (0, "")
        return out

    return run


def spec_of(text):
    document, problems = read(text.encode())
    assert problems == []
    return document


def names(text):
    return [device["name"] for device in spec_of(text)["devices"]]


def test_the_spec_is_that_of_linkspan_cdi_generate(generate, capsys):
    ours = generate()
    main.run(["cdi", "generate", "--hook-path", HOOK])
    assert capsys.readouterr().out == ours
    assert ours.startswith("---\n")
    assert len(names(ours)) == 17


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format=json",),
        ("-format", "JSON"),
    ],
)
def test_the_format_may_be_chosen(generate, arguments):
    assert json.loads(generate(*arguments))["kind"] == "nvidia.com/gpu"


def test_names_devices_kind_and_hooks_may_be_chosen(generate):
    out = generate(
        "--device-name-strategy=uuid,type-index", "--device-id", "0", "--devices=1", "--no-all-device",
        "--cdi-vendor", "a.com", "--class=b", "--disable-hooks", "all",
    )  # fmt: skip
    assert [name for name in names(out) if name.startswith("gpu")] == ["gpu0", "gpu1"]
    assert len(names(out)) == 4
    assert spec_of(out)["kind"] == "a.com/b"
    assert "hooks:" not in out
    assert "--driver-version" in generate("--disable-hook=all", "--enable-hook", "enable-cuda-compat")


def test_none_is_the_driver_alone(generate):
    assert names(generate("--device-ids", "none")) == ["none"]


def test_the_host_is_looked_for_where_the_flags_say(generate, searches):
    generate(
        "--driver-root", "/d", "--dev-root=/e", "--library-search-path=/l,/m", "--config-search-path", "/c",
        "--csv.file=/x.csv", "--csv.ignore-pattern", "**/y", "--csv.compat-container-root=/z", "--ldconfig-path=/l",
    )  # fmt: skip
    assert searches[-1] == Search(
        root="/d",
        dev_root="/e",
        library_search_paths=("/l", "/m"),
        config_search_paths=("/c",),
        csv_files=("/x.csv",),
    )


def test_the_driver_root_is_the_environments_else_the_configurations(generate, searches, monkeypatch, tmp_path):
    generate()
    (tmp_path / "config.toml").write_text('[nvidia-container-cli]\nroot = "/configured"\n')
    generate()
    monkeypatch.setenv("NVIDIA_CTK_DRIVER_ROOT", "/variable")
    generate()
    assert [search.root for search in searches] == ["/", "/configured", "/variable"]


def test_every_flag_has_a_variable(nvidia_ctk, monkeypatch, tmp_path):
    prefix = "NVIDIA_CTK_CDI_GENERATE_"
    monkeypatch.setenv("NVIDIA_CTK_CDI_OUTPUT_FILE_PATH", str(tmp_path / "x"))
    monkeypatch.setenv("NVIDIA_CTK_CDI_HOOK_PATH", HOOK)
    monkeypatch.setenv(f"{prefix}OUTPUT_FORMAT", "json")
    monkeypatch.setenv(f"{prefix}DEVICE_NAME_STRATEGIES", "type-index")
    monkeypatch.setenv(f"{prefix}DEVICE_IDS", "3")
    monkeypatch.setenv(f"{prefix}NO_ALL_DEVICE", "true")
    monkeypatch.setenv(f"{prefix}VENDOR", "a.com")
    assert nvidia_ctk("cdi", "generate")[0] == 0
    spec = json.loads((tmp_path / "x.json").read_text())
    assert (spec["kind"], [device["name"] for device in spec["devices"]]) == ("a.com/gpu", ["gpu3"])


def test_a_file_is_written_by_its_extension(nvidia_ctk, tmp_path):
    path = tmp_path / "new" / "y.json"
    code, out, err = nvidia_ctk(
        "cdi", "generate", "--nvidia-cdi-hook-path", HOOK, "--output", path, "--format", "yaml"
    )  # fmt: skip
    assert (code, out) == (0, "")
    assert err.splitlines() == [
        f"nvidia-ctk: {path} is written as JSON, as its extension says, not as YAML",
        f"nvidia-ctk: wrote {path}: 17 devices of nvidia.com/gpu",
    ]
    json.loads(path.read_text())
    nvidia_ctk("--quiet", "cdi", "generate", "--nvidia-cdi-hook-path", HOOK, "--output", tmp_path / "x.yml")
    assert names((tmp_path / "x.yml.yaml").read_text())


def test_quiet_keeps_the_story_away(nvidia_ctk, tmp_path):
    path = tmp_path / "x.yaml"
    for arguments in (
        ("--quiet", "cdi", "generate"),
        ("cdi", "generate", "-quiet"),
        ("-d", "-quiet", "cdi", "generate"),
    ):
        assert nvidia_ctk(*arguments, "--nvidia-cdi-hook-path=/no/hook", "--output", path) == (0, "", "")


def test_what_other_versions_of_the_toolkit_know_is_left_out_with_a_word(nvidia_ctk):
    code, _, err = nvidia_ctk(
        "cdi",
        "generate",
        "--nvidia-cdi-hook-path",
        HOOK,
        "--feature-flag=new,disable-ipc-discoverer",
        "--disable-hook",
        "x",
    )
    assert code == 0
    assert '--feature-flag: there is no "new", so it is left out; there are ' in err
    assert '--disable-hook: there is no "x", so it is left out; there are all, ' in err


def test_a_hook_that_is_not_there_is_worth_a_word(nvidia_ctk):
    _, _, err = nvidia_ctk("cdi", "generate", "--nvidia-ctk-path", "/no/hook")
    assert err == (
        "nvidia-ctk: the hook /no/hook is not there, and containers need it; put it in place with 'linkspan install'\n"
    )


def test_a_host_whose_nvml_is_silent_is_worth_a_word(nvidia_ctk, monkeypatch):
    monkeypatch.setattr(snapshot, "collect", lambda _: h100x8())
    _, _, err = nvidia_ctk("cdi", "generate", "--nvidia-cdi-hook-path", HOOK)
    assert err.startswith("nvidia-ctk: NVML did not answer, so GPUs are as /proc knows them")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mode", "x"), 'invalid discovery mode: "x"; it is one of auto, nvml, wsl, csv, '),
        (("--format", "xml"), 'invalid format: "xml"; it is one of json, yaml'),
        (("--device-name-strategy", "x"), 'invalid device name strategy: "x"; it is one of index, uuid, type-index'),
        (("--enable-hook", "all"), "enabling all hooks at once is not supported; name the hooks to enable"),
        (("--nvidia-cdi-hook-path", "x"), '--nvidia-cdi-hook-path is "x", not an absolute path'),
        (("--library-search-path", "x"), '--library-search-path is "x", not an absolute path'),
        (("--config-search-path", "x"), '--config-search-path is "x", not an absolute path'),
        (("--device-id", "77"), '"77" was asked for, but this host has GPUs 0, 1, '),
        (("--mode", "gds"), "this host has no device node for gds, so there is nothing to put into a CDI spec; "),
        (("--vendor", "1"), "has the vendor '1': it must begin with a letter"),
        (("--no-such-flag",), "flag provided but not defined: -no-such-flag"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_sentence(nvidia_ctk, tmp_path, arguments, message):
    code, out, err = nvidia_ctk("cdi", "generate", "--output", tmp_path / "x.yaml", *arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert [line for line in err.splitlines() if message in line] == err.splitlines()[-1:]
    assert not (tmp_path / "x.yaml").exists()


SPEC = {
    "cdiVersion": "0.3.0",
    "kind": "nvidia.com/gpu",
    "devices": [{"name": "all", "containerEdits": {"deviceNodes": [{"path": "/dev/nvidia0"}, {"path": "/device"}]}}],
    "containerEdits": {
        "deviceNodes": [{"path": "/dev/x"}],
        "mounts": [{"hostPath": "/root/lib", "containerPath": "/root/lib"}],
        "hooks": [
            {"hookName": "createContainer", "path": "/root/hook", "args": ["hook", "/root/a::/root/b", "/rooted"]},
            {"hookName": "startContainer", "path": "/root/own", "args": ["/root/c"]},
            {"hookName": "prestart", "path": "/root/early", "args": ["/root/d"]},
            {"hookName": "poststop", "path": "/root/late"},
        ],
    },
}


@pytest.fixture
def transform(nvidia_ctk, monkeypatch):
    def run(*arguments, text=""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((text or to_yaml(SPEC)).encode())))
        return nvidia_ctk("cdi", "transform", "root", *arguments)

    return run


def test_the_hosts_paths_are_moved_to_another_root(transform):
    code, out, err = transform("--from", "/root", "--to=/host/", "--relative-to", "host")
    assert (code, err) == (0, "")
    edits = spec_of(out)["containerEdits"]
    assert edits["mounts"] == [{"hostPath": "/host/lib", "containerPath": "/root/lib"}]
    assert [hook["path"] for hook in edits["hooks"]] == ["/host/hook", "/root/own", "/host/early", "/host/late"]
    assert [hook.get("args") for hook in edits["hooks"]] == [
        ["hook", "/root/a::/root/b", "/rooted"],
        ["/root/c"],
        ["/host/d"],
        None,
    ]


def test_the_containers_paths_are_moved_to_another_root(transform):
    _, out, _ = transform("--from=/root", "--to=/c", "--relative-to=container")
    edits = spec_of(out)["containerEdits"]
    assert edits["mounts"] == [{"hostPath": "/root/lib", "containerPath": "/c/lib"}]
    assert [hook["path"] for hook in edits["hooks"]] == ["/root/hook", "/c/own", "/root/early", "/root/late"]
    assert [hook.get("args") for hook in edits["hooks"]] == [
        ["hook", "/c/a::/c/b", "/rooted"],
        ["/c/c"],
        ["/root/d"],
        None,
    ]


def test_a_path_that_only_begins_alike_stays_and_every_node_gets_a_host_path(transform):
    _, out, _ = transform("--from", "/dev", "--to", "/d")
    spec = spec_of(out)
    assert spec["devices"][0]["containerEdits"]["deviceNodes"] == [
        {"path": "/dev/nvidia0", "hostPath": "/d/nvidia0"},
        {"path": "/device", "hostPath": "/device"},
    ]
    assert spec["containerEdits"]["deviceNodes"] == [{"path": "/dev/x", "hostPath": "/d/x"}]


def test_the_version_rises_where_the_result_needs_it(transform):
    assert spec_of(transform("--from", "/a", "--to", "/b")[1])["cdiVersion"] == "0.5.0"
    assert spec_of(transform("--from", "/a", "--to", "/b", "--relative-to", "container")[1])["cdiVersion"] == "0.3.0"
    newer = to_yaml({**SPEC, "cdiVersion": "0.8.0"})
    assert spec_of(transform("--from", "/a", "--to", "/b", text=newer)[1])["cdiVersion"] == "0.8.0"


def test_the_same_root_changes_nothing_and_slash_is_a_root_too(transform):
    plain = to_yaml({**SPEC, "cdiVersion": "0.5.0"})
    assert transform("--from", "/x", "--to", "/x", text=plain)[1] == plain
    _, out, _ = transform("--from", "/", "--to", "/host")
    assert spec_of(out)["containerEdits"]["mounts"][0]["hostPath"] == "/host/root/lib"
    _, out, _ = transform("--from", "/root", "--to", "/")
    assert spec_of(out)["containerEdits"]["mounts"][0]["hostPath"] == "/lib"
    _, out, _ = transform("--from", "/root/lib", "--to", "/")
    assert spec_of(out)["containerEdits"]["mounts"][0]["hostPath"] == "/"


def test_files_are_read_and_written(transform, tmp_path):
    (tmp_path / "in.yaml").write_text(to_yaml(SPEC))
    code, out, _ = transform("--from=/a", "--to=/b", "--input", tmp_path / "in.yaml", "--output", tmp_path / "o.json")
    assert (code, out) == (0, "")
    assert json.loads((tmp_path / "o.json").read_text())["cdiVersion"] == "0.5.0"


@pytest.mark.parametrize(
    ("arguments", "text", "message"),
    [
        (("--relative-to", "x"), "", 'invalid --relative-to value: "x"; it is one of host, container'),
        ((), "a: [", "standard input:1: "),
        (("--input", "/no/file"), "", "/no/file: the spec cannot be read: no such file or directory"),
    ],
)
def test_what_cannot_be_transformed_is_refused(transform, arguments, text, message):
    code, out, err = transform("--from", "/a", "--to", "/b", *arguments, text=text)
    assert (code, out) == (1, "")
    assert err.startswith(f"nvidia-ctk: {message}")
    assert err.count("\n") == 1


def test_devices_are_listed_by_name(nvidia_ctk, tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.yaml").write_text(to_yaml({**SPEC, "cdiVersion": "0.5.0"}))
    (tmp_path / "a" / "bad.yaml").write_text("[")
    expected = (0, "nvidia.com/gpu=all\n", "Found 1 CDI devices\n")
    code, out, err = nvidia_ctk("cdi", "list", "--spec-dir", tmp_path / "a", "-spec-dir", tmp_path / "b")
    assert (code, out) == expected[:2]
    assert err.startswith(f"nvidia-ctk: left out: {tmp_path}/a/bad.yaml:1: ")
    assert err.endswith(expected[2])
    os.unlink(tmp_path / "a" / "bad.yaml")
    monkeypatch.setenv("NVIDIA_CTK_CDI_SPEC_DIRS", f"{tmp_path}/a,{tmp_path}/b")
    assert nvidia_ctk("cdi", "list") == expected
    assert nvidia_ctk("--quiet", "cdi", "list") == (0, "nvidia.com/gpu=all\n", "")


def test_a_host_without_specs_has_no_devices(nvidia_ctk, tmp_path):
    assert nvidia_ctk("cdi", "list", "--spec-dir", tmp_path) == (0, "", "Found 0 CDI devices\n")


def test_a_spec_says_what_it_was_made_from(generate, monkeypatch):
    stamp = Stamp(kind="text", path="/proc/driver/nvidia/version", value="550")
    monkeypatch.setattr(snapshot, "collect", lambda _: changed(h100x8(), platform="none", stamps=(stamp,)))
    assert generate().splitlines()[1].startswith("# linkspan: {")
