"""The wrapper as engines start it: a process of its own, with a low-level runtime that notes how it was called."""

import json
import os
import subprocess
import sys

import pytest

from linkspan.formats import state

SRC = os.path.abspath("src")
NODE = {"path": "/dev/nvidia0", "type": "c", "major": 195, "minor": 0}


class Host:
    """A scratch host: a bundle, a state folder, a low-level runtime and a full program, both shell scripts."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.bundle = folder / "bundle"
        self.bundle.mkdir()
        (self.bundle / "rootfs").mkdir()
        self.low_level = self.script("runc", f'echo "$@" >> {folder}/called')
        self.config({"process": {"env": ["NVIDIA_VISIBLE_DEVICES=0"]}, "root": {"path": "rootfs"}, "x": {"new": 1}})
        self.answer({"switches": self.switches(), "edits": {"devices": [NODE]}, "stamps": []})

    def script(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    def switches(self) -> dict:
        config = str(self.folder / "config.toml")
        return {
            "version": state.VERSION,
            "config": config,
            "path": os.environ["PATH"],
            "stamps": [["absent", config, ""]],
            "low_level": self.low_level,
            "env_names": [],
            "request_words": ["NVIDIA_"],
            "annotation_prefixes": ["cdi.k8s.io/"],
            "log": "",
        }

    def answer(self, document: dict) -> None:
        (self.folder / "answer").write_text(json.dumps(document))
        self.full_program = self.script("full", f"cat >{self.folder}/asked; cat {self.folder}/answer")

    def config(self, spec: object) -> None:
        text = spec if isinstance(spec, bytes) else json.dumps(spec).encode()
        (self.bundle / "config.json").write_bytes(text)

    def keep(self, view: dict, edits: dict, stamps: tuple = ()) -> None:
        (self.folder / "state" / "edits").mkdir(parents=True, exist_ok=True)
        switches = self.switches()
        file = self.folder / "state/switches" / state.caller_name(switches["config"], switches["path"])
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(switches))
        name = state.edits_name(view, self.switches(), "wrapper")
        document = {"version": state.VERSION, "stamps": list(stamps), "edits": edits}
        (self.folder / "state" / name).write_text(json.dumps(document))

    def run(self, *argv: str) -> subprocess.CompletedProcess:
        code = (
            f"import sys; sys.path.insert(0, {SRC!r}); from linkspan.runtime.wrapper import Setup, main;"
            f"main(Setup({str(self.folder / 'state')!r}, '/hook', [{self.full_program!r}]), sys.argv[1:])"
        )
        env = {"PATH": os.environ["PATH"], "NVIDIA_CTK_CONFIG_FILE_PATH": str(self.folder / "config.toml")}
        argv = [sys.executable, "-IS", "-c", code, *argv]
        return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=20, check=False)

    def create(self, *flags: str) -> subprocess.CompletedProcess:
        return self.run(*flags, "create", "--bundle", str(self.bundle), "c1")

    @property
    def spec(self) -> dict:
        return json.loads((self.bundle / "config.json").read_text())

    @property
    def called(self) -> str:
        path = self.folder / "called"
        return path.read_text() if path.exists() else ""

    @property
    def asked(self) -> bool:
        return (self.folder / "asked").exists()


@pytest.fixture
def host(tmp_path) -> Host:
    return Host(tmp_path)


VIEW = {"env": ["NVIDIA_VISIBLE_DEVICES=0"], "annotations": {}, "mounts": [], "privileged": False}


def test_a_miss_asks_the_full_program_and_passes_unknown_fields_through(host):
    done = host.create()
    assert done.returncode == 0, done.stderr
    assert host.asked
    assert host.spec["linux"]["devices"] == [NODE]
    assert host.spec["x"] == {"new": 1}
    assert host.called == f"create --bundle {host.bundle} c1\n"


def test_a_hit_asks_nobody(host):
    host.keep(VIEW, {"devices": [NODE]})
    assert host.create().returncode == 0
    assert not host.asked
    assert host.spec["linux"]["devices"] == [NODE]


def test_a_stale_stamp_is_a_miss(host):
    host.keep(VIEW, {"env": ["STALE=1"]}, stamps=[["node", "/dev/null", "9:9"]])
    assert host.create().returncode == 0
    assert host.asked
    assert "STALE=1" not in host.spec["process"]["env"]


def test_edits_that_others_may_write_are_a_miss(host):
    host.keep(VIEW, {"env": ["FORGED=1"]})
    for file in (host.folder / "state" / "edits").iterdir():
        file.chmod(0o666)
    assert host.create().returncode == 0
    assert host.asked
    assert "FORGED=1" not in host.spec["process"]["env"]


def test_a_container_without_edits_keeps_its_file(host):
    host.answer({"switches": host.switches(), "edits": {}, "stamps": []})
    before = os.stat(host.bundle / "config.json")
    assert host.create().returncode == 0
    assert os.stat(host.bundle / "config.json").st_ino == before.st_ino
    assert host.called


def test_other_verbs_never_read_the_bundle(host):
    (host.bundle / "config.json").unlink()
    done = host.run("state", "c1")
    assert done.returncode == 0, done.stderr
    assert host.called == "state c1\n"


def test_a_refusal_is_one_line_also_where_the_engine_looks(host):
    error = {"message": "GPU 9 was asked for\nbut", "hint": "list them", "code": "device-not-found"}
    host.answer({"error": error})
    log = host.folder / "log.json"
    done = host.create("--log", str(log), "--log-format", "json")
    assert done.returncode == 1
    line = "linkspan-runtime: GPU 9 was asked for?but; list them [device-not-found]"
    assert done.stderr == line + "\n"
    entry = json.loads(log.read_text())
    assert (entry["level"], entry["msg"]) == ("error", line)
    assert not host.called


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (b"", "not JSON"),
        (b'{"a": ', "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b"[]", "not a JSON object"),
        (b"[" * 3_000_000, "nested too deeply"),
        (b'{"x":' * 100_000, "nested too deeply"),
        (b" " * (17 << 20), "larger than 16 MiB"),
        (b'{"mounts": [1]}', "not an OCI runtime specification"),
        (b'{"linux": []}', "not an OCI runtime specification"),
    ],
)
def test_a_config_json_that_is_none_is_refused_in_one_line(host, config, reason):
    host.keep(VIEW | {"env": []}, {"devices": [NODE]})
    host.config(config)
    done = host.create()
    assert done.returncode == 1
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert (host.bundle / "config.json").read_bytes() == config
    assert not host.called


def test_a_missing_bundle_is_refused_in_one_line(host):
    done = host.run("create", "--bundle", "/nowhere", "c1")
    assert done.returncode == 1
    assert "cannot read /nowhere/config.json: No such file or directory" in done.stderr


def test_a_full_program_without_an_answer_is_refused(host):
    host.full_program = host.script("full", "exit 3")
    done = host.create()
    assert done.returncode == 1
    assert "ended without an answer" in done.stderr
    assert not host.called


def test_work_that_cannot_be_done_beforehand_goes_into_one_hook(host):
    edits = {
        "prepare": {"arch": "x86_64", "links": [["t", "/etc/l"]]},
        "hook": {"path": "", "args": ["linkspan-hook", "create-container"], "env": ["PATH=/bin"]},
        "hook_arguments": ["--link", "t::/etc/l"],
    }
    host.keep(VIEW, edits)
    host.config({"process": {"env": VIEW["env"]}, "root": {"path": "rootfs"}, "mounts": [{"destination": "/etc"}]})
    assert host.create().returncode == 0
    hook = {"path": "/hook", "args": ["linkspan-hook", "create-container", "--link", "t::/etc/l"], "env": ["PATH=/bin"]}
    assert host.spec["hooks"] == {"createContainer": [hook]}
    assert not os.path.lexists(host.bundle / "rootfs/etc/l")


def test_work_is_done_beforehand_where_it_can_be(host):
    host.keep(VIEW, {"prepare": {"arch": "x86_64", "links": [["t", "/usr/l"]]}})
    done = host.create()
    assert done.returncode == 0, done.stderr
    assert os.readlink(host.bundle / "rootfs/usr/l") == "t"
    assert "hooks" not in host.spec


@pytest.mark.skipif(not os.path.exists("/proc/driver/nvidia/params"), reason="there is no driver to have parameters")
def test_only_a_hook_masks_the_drivers_parameters(host):
    edits = {
        "prepare": {"arch": "x86_64", "links": [["t", "/usr/l"]]},
        "mask_params": True,
        "hook": {"path": "", "args": ["linkspan-hook", "create-container"], "env": ["PATH=/bin"]},
        "hook_arguments": ["--link", "t::/usr/l", "--mask-params"],
    }
    host.keep(VIEW, edits)
    assert host.create().returncode == 0
    (entry,) = host.spec["hooks"]["createContainer"]
    assert entry["args"] == ["linkspan-hook", "create-container", "--mask-params"]
    assert os.readlink(host.bundle / "rootfs/usr/l") == "t"
