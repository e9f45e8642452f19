"""What cannot work: one clear sentence, an exit code that says so, and nothing half written."""

import json
import os
import time

import pytest

from tests import mounts
from tests.containers import Bundle, Outcome, new_bundle
from tests.toolkit import CONFIG, Toolkit

pytestmark = pytest.mark.privileged

ASK = "NVIDIA_VISIBLE_DEVICES=0"


def assert_one_sentence(outcome: Outcome, *words: str) -> None:
    assert outcome.created == 1, outcome
    assert outcome.errors.count("\n") == 1, outcome.errors
    assert "Traceback" not in outcome.errors
    assert not [word for word in words if word not in outcome.errors], outcome.errors


def patch(toolkit: Toolkit, **settings: str) -> Outcome:
    with new_bundle("/nowhere") as bundle:
        return toolkit.patch(bundle.env(ASK).write(), toolkit.wrapper(**{"low_level": "/bin/true", **settings}))


def test_no_low_level_runtime(toolkit_550: Toolkit) -> None:
    assert_one_sentence(patch(toolkit_550, low_level="no-such-runtime"), "no-such-runtime")


def test_no_driver(toolkit_550: Toolkit, tmp_path: object) -> None:
    raw = CONFIG.format(top="", root=tmp_path, low_level="/bin/true", mode="auto", folder=tmp_path)
    assert_one_sentence(patch(toolkit_550, raw=raw), "driver")


def test_no_driver_does_not_matter_to_a_container_without_a_request(toolkit_550: Toolkit, tmp_path: object) -> None:
    raw = CONFIG.format(top="", root=tmp_path, low_level="/bin/true", mode="auto", folder=tmp_path)
    with new_bundle("/nowhere") as bundle:
        outcome = toolkit_550.patch(bundle.write(), toolkit_550.wrapper("/bin/true", raw=raw))
    assert outcome.created == 0, outcome


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ('[nvidia-container-runtime]\nruntimes = "runc"\n', ("runtimes", ":2")),
        ('[nvidia-container-runtime]\nmode = "fast"\n', ("mode", "fast", "jit-cdi")),
        ("disable-require = 1\n", ("disable-require", ":1")),
        ("[nvidia-container-cli\n", (":1",)),
    ],
)
def test_a_configuration_that_cannot_be_followed_is_named_with_its_line(
    toolkit_550: Toolkit, raw: str, words: tuple[str, ...]
) -> None:
    assert_one_sentence(patch(toolkit_550, raw=raw), "config-", *words)


def test_no_bundle(toolkit_550: Toolkit) -> None:
    with new_bundle("/nowhere") as bundle:
        outcome = toolkit_550.patch(bundle)
    assert_one_sentence(outcome, "config.json")


BROKEN = {
    "100 MB": b'{"hostname": "' + b"x" * (100 << 20) + b'"}',
    "nested a million deep": b"[" * 1_000_000,
    "nested a million deep in a member": b'{"annotations": ' + b'{"a":' * 1_000_000,
    "not UTF-8": b'{"hostname": "\xff\xfe"}',
    "an array": b"[]",
    "cut off": b'{"process": {"env": ["NVIDIA_VISIBLE_DEV',
    "empty": b"",
    "members of other types": b'{"process": 7, "mounts": "x", "linux": []}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_config_json_that_is_none_is_refused_at_once_and_left_as_it_is(toolkit_550: Toolkit, name: str) -> None:
    with new_bundle("/nowhere") as bundle:
        with open(bundle.path, "wb") as file:
            file.write(BROKEN[name])
        began = time.monotonic()
        outcome = toolkit_550.patch(bundle)
        took = time.monotonic() - began
        with open(bundle.path, "rb") as file:
            assert file.read() == BROKEN[name]
        assert os.listdir(bundle.folder) == ["config.json"]
    assert_one_sentence(outcome, "config.json")
    assert took < 5


def test_the_standard_reader_of_json_is_felled_by_such_nesting() -> None:
    with pytest.raises(RecursionError):
        json.loads(BROKEN["nested a million deep"])


def fill(folder: str) -> None:
    """Leave no free block on the file system of a folder."""
    with pytest.raises(OSError, match="No space left"), open(f"{folder}/filler", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_full_disk_below_the_bundle_leaves_the_old_config_json(toolkit_550: Toolkit, tmp_path: object) -> None:
    with mounts.tmpfs(str(tmp_path), 256) as folder:
        bundle = Bundle(folder, "/nowhere").env(ASK).write()
        fill(folder)
        outcome = toolkit_550.patch(bundle)
        with open(bundle.path, encoding="utf-8") as file:
            assert json.load(file) == bundle.config
        assert sorted(os.listdir(folder)) == ["config.json", "filler"]
    assert_one_sentence(outcome, "No space left")


def test_a_state_folder_that_cannot_be_written_costs_time_and_nothing_else(toolkit_550: Toolkit) -> None:
    os.makedirs(toolkit_550.place.state, exist_ok=True)
    toolkit_550.forget()
    os.makedirs(toolkit_550.place.state)
    with mounts.read_only(toolkit_550.place.state):
        assert patch(toolkit_550).created == 0
    assert os.listdir(toolkit_550.place.state) == []


def generate(toolkit: Toolkit, output: str) -> tuple[int, str]:
    done = toolkit.linkspan("cdi", "generate", "--driver-root", toolkit.driver_root, "--output", output)
    return done.returncode, done.stderr


def test_a_spec_folder_that_cannot_be_written(toolkit_550: Toolkit, tmp_path: object) -> None:
    with mounts.read_only(str(tmp_path)) as folder:
        code, errors = generate(toolkit_550, f"{folder}/nvidia.yaml")
    assert code != 0
    assert "nvidia.yaml" in errors
    assert "Read-only file system" in errors
    assert "Traceback" not in errors


def test_a_full_disk_leaves_the_old_spec(toolkit_550: Toolkit, tmp_path: object) -> None:
    with mounts.tmpfs(str(tmp_path), 256) as folder:
        with open(f"{folder}/nvidia.yaml", "w", encoding="utf-8") as file:
            file.write("cdiVersion: 0.5.0\n")
        fill(folder)
        code, errors = generate(toolkit_550, f"{folder}/nvidia.yaml")
        with open(f"{folder}/nvidia.yaml", encoding="utf-8") as file:
            assert file.read() == "cdiVersion: 0.5.0\n"
        assert sorted(os.listdir(folder)) == ["filler", "nvidia.yaml"]
    assert code != 0
    assert "No space left" in errors
    assert "Traceback" not in errors
