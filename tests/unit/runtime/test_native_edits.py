"""The launcher edits config.json as Python does, or leaves it to Python."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkspan._version import __version__
from tests.unit.runtime.native import Native, edited

Spec = dict[str, Any]

EDITS: Spec = {
    "env": ["NVIDIA_VISIBLE_DEVICES=void"],
    "devices": [
        {"path": "/dev/nvidia0", "type": "c", "major": 195, "minor": 0, "fileMode": 438},
        {"path": "/dev/nvidiactl", "type": "c", "major": 195, "minor": 255, "fileMode": 438},
    ],
    "rules": [{"allow": True, "type": "c", "major": 195, "minor": 0, "access": "rwm"}],
    "mounts": [
        {"destination": "/usr/bin/nvidia-smi", "source": "/usr/bin/nvidia-smi", "options": ["ro", "rbind"]},
        {"destination": "/usr/lib/libcuda.so.550", "source": "/usr/lib/libcuda.so.550", "options": ["ro", "rbind"]},
        {"destination": "/run/nvidia.sock", "source": "/run/nvidia.sock", "options": ["rbind"]},
    ],
    "remove_hooks": ["nvidia-container-runtime-hook", "nvidia-container-toolkit"],
    "says": "0 by NVIDIA_VISIBLE_DEVICES",
}


def ordinary() -> Spec:
    """A config.json as Docker writes it, in short."""
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0, "additionalGids": [0, 10]},
            "env": ["PATH=/bin", "NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_REQUIRE_CUDA=cuda>=12.1 brand=tesla,driver<471"],
            "capabilities": {"bounding": ["CAP_CHOWN", "CAP_KILL"]},
        },
        "root": {"path": "rootfs"},
        "hostname": "a\u00e9\u2028\U0001f600",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid"]},
            {"destination": "/etc/hosts", "source": "/var/lib/x/hosts", "options": ["rbind", "rprivate"]},
            {"destination": "/usr/share/a/b/c", "source": "/a", "options": ["rbind"]},
        ],
        "hooks": {"prestart": [{"path": "/proc/1/exe", "args": ["libnetwork-setkey"]}]},
        "linux": {
            "resources": {"devices": [{"allow": False, "access": "rwm"}], "cpu": {"shares": 0}},
            "namespaces": [{"type": "mount"}, {"type": "pid"}],
            "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}],
        },
        "annotations": {"org.example/a": "x"},
        "x": {"unknown": [1.5e300, -0, None, True, 12345678901234567890123]},
    }


def changed(**members: Any) -> Spec:
    """The ordinary one, with something different at a path like ``process__user__uid``."""
    spec = ordinary()
    for path, value in members.items():
        *parents, last = path.split("__")
        place = spec
        for name in parents:
            place = place[name]
        if value is ABSENT:
            del place[last]
        else:
            place[last] = value
    return spec


ABSENT = object()

DONE = {
    "as Docker writes it": {},
    "no hooks": {"hooks": ABSENT},
    "hooks null": {"hooks": None},
    "no devices": {"linux__devices": ABSENT},
    "devices null": {"linux__devices": None},
    "devices empty": {"linux__devices": []},
    "no rules": {"linux__resources": {}},
    "rules null": {"linux__resources__devices": None},
    "a user of its own": {"process__user": {"uid": 1000, "gid": 1001}},
    "a group alone": {"process__user": {"uid": 0, "gid": 5}},
    "no user": {"process__user": ABSENT},
    "no mounts yet": {"mounts": []},
    "no capabilities": {"process__capabilities": ABSENT},
    "privileged": {"process__capabilities": {"bounding": ["CAP_SYS_ADMIN"]}},
    "a variable of other letters": {"process__env": ["NVIDIA_VISIBLE_DEVICES=0", 'A=\u00e9\n\t"\\']},
    "annotations null": {"annotations": None},
    "a request by annotation": {"annotations": {"cdi.k8s.io/a": "nvidia.com/gpu=0", "cdi.k8s.io/b": "<>"}},
    "a mount ending in a slash": {"mounts": [{"destination": "/opt/data/", "source": "/a"}]},
    "a folder that looks hidden": {"mounts": [{"destination": "/opt/.data..", "source": "/a"}]},
}

LEFT = {
    "a node of ours is there": {"linux__devices": [{"path": "/dev/nvidia0", "type": "c", "major": 1, "minor": 3}]},
    "a mount of ours is there": {"mounts": [{"destination": "/usr/bin/nvidia-smi", "source": "/x"}]},
    "a hook of NVIDIA's": {"hooks": {"prestart": [{"path": "/usr/bin/nvidia-container-runtime-hook"}]}},
    "a mount that is not normal": {"mounts": [{"destination": "/a/../etc", "source": "/x"}]},
    "a relative mount": {"mounts": [{"destination": "a", "source": "/x"}]},
    "a request by mounts": {"mounts": [{"destination": "/var/run/nvidia-container-devices/0", "source": "/dev/null"}]},
    "linux is no object": {"linux": []},
    "no linux": {"linux": ABSENT},
    "env is no list": {"process__env": {"NVIDIA_VISIBLE_DEVICES": "0"}},
    "a number in env": {"process__env": ["NVIDIA_VISIBLE_DEVICES=0", 7]},
    "a mount is no object": {"mounts": ["/a"]},
    "a user id that is none": {"process__user": {"uid": -1, "gid": 0}},
    "a variable of two lines": {"process__env": ["NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_X=a\nb"]},
    "hooks that are none": {"hooks": []},
    "a stage that is none": {"hooks": {"prestart": "x"}},
    "a hook that is none": {"hooks": {"prestart": [7]}},
    "a hook without a program": {"hooks": {"poststop": [{}]}},
    "very many mounts": {"mounts": [{"destination": f"/a{number}"} for number in range(5000)]},
}


@pytest.mark.parametrize("name", DONE)
@pytest.mark.parametrize("separators", [(",", ":"), (" , ", " : ")], ids=["compact", "spaced"])
def test_the_launcher_makes_the_edits_that_python_makes(native: Native, name: str, separators: tuple[str, str]) -> None:
    spec = changed(**DONE[name])
    assert native.keep(spec, EDITS)
    for indent in (None, 1):
        text = json.dumps(spec, ensure_ascii=False, separators=separators, indent=indent)
        assert native.create(text)
        assert native.spec == edited(spec, EDITS)


@pytest.mark.parametrize("name", LEFT)
def test_the_launcher_leaves_to_python_what_is_out_of_the_ordinary(native: Native, name: str) -> None:
    native.keep(ordinary(), EDITS)
    text = json.dumps(changed(**LEFT[name]))
    assert not native.create(text)
    assert native.path.read_text() == text


def test_words_that_are_spelled_out_are_seen(native: Native) -> None:
    native.keep(ordinary(), EDITS)
    text = json.dumps(ordinary())
    for word, spelled in (("NVIDIA_VISIBLE", "\\u004eVIDIA_VISIBLE"), ("NVIDIA_VISIBLE", "NVIDI\\u0041_VISIBLE")):
        assert native.create(text.replace(word, spelled))
        assert native.spec == edited(ordinary(), EDITS)
    hidden = changed(hooks={"prestart": [{"path": "/usr/bin/nvidia-container-toolkit"}]})
    assert not native.create(json.dumps(hidden).replace("nvidia-container-toolkit", "nvidia\\u002dcontainer-toolkit"))


def test_edits_do_not_outlive_the_configuration_they_were_made_under(native: Native) -> None:
    Path(native.config).write_text("x = 1\n")
    native.mark()
    native.keep(ordinary(), EDITS)
    assert native.create(json.dumps(ordinary()))
    Path(native.config).write_text("accept-nvidia-visible-devices-envvar-when-unprivileged = false\n")
    assert not native.create(json.dumps(ordinary()))
    native.mark()
    assert not native.create(json.dumps(ordinary())), "the launcher knows the new configuration, but no edits under it"


def test_records_of_another_version_are_none(native: Native) -> None:
    native.keep(ordinary(), EDITS)
    (file,) = (native.folder / "state/ready").iterdir()
    text = f"{len(__version__)}:{__version__},".encode()
    file.write_bytes(file.read_bytes().replace(text, b"5:0.0.0,", 1))
    assert not native.create(json.dumps(ordinary()))


def test_what_is_kept_is_for_us_alone(native: Native) -> None:
    native.keep(changed(process__env=["NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_API_KEY=secret"]), EDITS)
    folder = native.folder / "state/ready"
    (file,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_mounts_of_ours_that_are_not_normal_are_not_kept(native: Native) -> None:
    for place in ("/opt//q", "relative", "/a/../b"):
        native.keep(ordinary(), {**EDITS, "mounts": [{"destination": place, "source": "/a"}]})
        assert not native.create(json.dumps(ordinary()))


def test_as_engines_in_go_escape_it_the_request_is_the_same(native: Native) -> None:
    native.keep(ordinary(), EDITS)
    text = json.dumps(ordinary()).replace(">", "\\u003e").replace("<", "\\u003C").replace("/", "\\/")
    assert "\\u003e=12.1" in text
    assert not native.create(text), "paths with escapes are left to Python"
    assert native.create(json.dumps(ordinary()).replace(">", "\\u003e").replace("<", "\\u003C"))


def test_what_no_edit_names_stays_byte_for_byte(native: Native) -> None:
    spec = ordinary()
    native.keep(spec, EDITS)
    text = json.dumps(spec).replace("[1.5e+300, 0,", "[ 1.50E+300 ,-0.0,")
    assert native.create(text)
    assert "[ 1.50E+300 ,-0.0, null, true, 12345678901234567890123]" in native.path.read_text()


def test_the_file_keeps_mode_and_owner_and_leaves_nothing_beside_it(native: Native) -> None:
    native.keep(ordinary(), EDITS)
    native.path.write_text("")
    native.path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(native.path, 7, 8)
    before = native.path.stat()
    assert native.create(json.dumps(ordinary()))
    after = native.path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert sorted(os.listdir(native.bundle)) == ["config.json", "rootfs"]


def test_groups_are_added_where_the_process_has_none(native: Native) -> None:
    edits = {**EDITS, "gids": [0, 44, 105]}
    for user, done in (({"uid": 0}, True), ({"additionalGids": []}, True), ({"additionalGids": [44]}, False)):
        spec = changed(process__user=user)
        native.keep(spec, edits)
        assert native.create(json.dumps(spec)) is done
        assert not done or native.spec == edited(spec, edits)


def test_a_container_that_asks_for_nothing_of_this_host_keeps_its_file(native: Native) -> None:
    spec = changed(process__env=["NVIDIA_VISIBLE_DEVICES=none"])
    native.keep(spec, {"remove_hooks": EDITS["remove_hooks"]})
    inode = None
    for _ in range(2):
        assert native.create(json.dumps(spec))
        assert inode in (None, native.path.stat().st_ino)
        inode = native.path.stat().st_ino


@pytest.mark.parametrize("member", ["hooks", "other", "ensure_hooks"])
def test_edits_of_other_kinds_are_not_kept_for_the_launcher(native: Native, member: str) -> None:
    native.keep(ordinary(), {**EDITS, member: {"x": []}})
    assert not native.create(json.dumps(ordinary()))


def test_another_request_configuration_or_word_is_another_one(native: Native) -> None:
    native.keep(ordinary(), EDITS)
    for other in (
        {"process__env": ["NVIDIA_VISIBLE_DEVICES=1"]},
        {"process__env": [*ordinary()["process"]["env"], "CUDA_VERSION=12"]},
        {"process__env": [*ordinary()["process"]["env"], "DOCKER_RESOURCE_GPU=0"]},
        {"process__env": [*ordinary()["process"]["env"], "malformed"]},
        {"process__capabilities": {"bounding": ["CAP_SYS_ADMIN"]}},
        {"annotations": {"cdi.k8s.io/x": "nvidia.com/gpu=0"}},
    ):
        assert not native.create(json.dumps(changed(**other)))
    assert native.create(json.dumps(changed(process__env=[*ordinary()["process"]["env"], "OTHER=1"])))


def test_stamps_of_every_kind_are_compared(native: Native) -> None:
    from linkspan.kernel import stamps

    file, text = native.folder / "file", native.folder / "text"
    file.write_text("1")
    text.write_text(" 550.163.01\n")
    kinds = (("file", str(file)), ("text", str(text)), ("node", "/dev/null"), ("absent", str(native.folder / "gone")))
    taken = tuple([kind, path, stamps.take(kind, path)] for kind, path in kinds)
    native.keep(ordinary(), EDITS, taken)
    assert native.create(json.dumps(ordinary()))
    for number in range(len(taken)):
        wrong = copy.deepcopy(taken)
        wrong[number][2] += "0"
        native.keep(ordinary(), EDITS, wrong)
        assert not native.create(json.dumps(ordinary())), taken[number]
    native.keep(ordinary(), EDITS, taken)
    (native.folder / "gone").write_text("")
    assert not native.create(json.dumps(ordinary()))


def test_records_that_others_may_write_are_not_read(native: Native) -> None:
    native.keep(ordinary(), EDITS)
    (file,) = (native.folder / "state/ready").iterdir()
    for mode in (0o666, 0o664):
        file.chmod(mode)
        assert not native.create(json.dumps(ordinary()))
    file.chmod(0o644)
    moved = file.rename(native.folder / "elsewhere")
    file.symlink_to(moved)
    assert not native.create(json.dumps(ordinary()))


@pytest.mark.parametrize("step", [1, 7, 100])
def test_a_damaged_record_is_none(native: Native, step: int) -> None:
    native.keep(ordinary(), EDITS)
    (file,) = (native.folder / "state/ready").iterdir()
    data = file.read_bytes()
    for end in range(0, len(data), max(step, len(data) // 60)):
        file.write_bytes(data[:end])
        assert not native.create(json.dumps(ordinary())), end
    file.write_bytes(data.replace(b",4:none", b",9:none"))


def test_the_oldest_records_make_room(native: Native, monkeypatch: pytest.MonkeyPatch) -> None:
    from linkspan.runtime import keep

    monkeypatch.setattr(keep, "READY_KEPT", 6)
    for number in range(20):
        native.keep(changed(process__env=[f"NVIDIA_VISIBLE_DEVICES={number}"]), EDITS)
    assert len(os.listdir(native.folder / "state/ready")) <= 6
    assert native.create(json.dumps(changed(process__env=["NVIDIA_VISIBLE_DEVICES=19"])))


# -- any configuration


names = st.text(st.sampled_from('ab/."\\\né<'), max_size=4)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
paths = st.sampled_from(
    ["/", "/a", "/etc", "/etc/", "/usr/bin", "/usr/lib/libcuda.so.550", "/a/b/c", "//x", "/a/./b", "b"]
)
mounts = st.fixed_dictionaries({"destination": paths | names, "source": names}, optional={"options": json_values})
nodes = st.fixed_dictionaries(
    {"path": st.sampled_from(["/dev/a", "/dev/nvidia0"]) | names}, optional={"uid": st.integers(0, 9)}
)
users = st.fixed_dictionaries(
    {},
    optional={
        "uid": st.integers(0, 3),
        "gid": st.integers(0, 3),
        "additionalGids": st.lists(st.integers(0, 99), max_size=2),
    },
)
variables = st.sampled_from(["NVIDIA_VISIBLE_DEVICES=0", "PATH=/bin", "CUDA_VERSION=12.1", "A=é", "NVIDIA_X=<>&"])
specs = st.fixed_dictionaries(
    {
        "process": st.fixed_dictionaries(
            {"env": st.lists(variables, max_size=3)}, optional={"user": users | st.none()}
        ),
        "mounts": st.lists(mounts, max_size=4),
        "linux": st.fixed_dictionaries(
            {
                "resources": st.fixed_dictionaries(
                    {}, optional={"devices": st.lists(json_values, max_size=2) | st.none()}
                )
            },
            optional={"devices": st.lists(nodes, max_size=3) | st.none(), "x": json_values},
        ),
    },
    optional={
        "hooks": st.none() | st.dictionaries(names, st.lists(json_values, max_size=2), max_size=2),
        "x": json_values,
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs, st.booleans())
def test_whatever_the_launcher_does_is_what_python_does(shared: Native, spec: Spec, ascii_only: bool) -> None:
    if shared.keep(spec, EDITS) is None:
        return
    text = json.dumps(spec, ensure_ascii=ascii_only)
    if shared.create(text) and shared.path.read_text() != text:
        assert shared.spec == edited(spec, EDITS)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(json_values, st.integers(0, 200), st.sampled_from(list('{}[]",:\\0x.e-\x00\x7f \xff')))
def test_only_what_is_json_is_taken_for_it(shared: Native, value: Any, place: int, other: str) -> None:
    """A character is put somewhere into a member that the launcher looks into but does not need."""
    spec = {"process": {"env": ["NVIDIA_VISIBLE_DEVICES=0"]}, "mounts": [], "linux": {"resources": {}}}
    shared.keep(spec, EDITS)
    inner = json.dumps(value, ensure_ascii=False).encode()
    damaged = inner[: place % (len(inner) + 1)] + other.encode("latin-1") + inner[place % (len(inner) + 1) :]
    for part in (inner, damaged):
        text = json.dumps(spec)[:-1].encode() + b', "x": ' + part + b"}"
        try:
            whole = json.loads(text)
        except ValueError:
            assert not shared.create(text)
            continue
        if "Infinity" in json.dumps(whole):
            continue  # a number that Python cannot write again, and that the launcher leaves as it is
        if shared.create(text):
            assert shared.spec == edited(whole, EDITS)
        else:
            assert part is damaged, "JSON as Python writes it is taken"


def test_a_zero_byte_behind_a_backslash_is_no_escape(native: Native) -> None:
    native.keep(ordinary(), EDITS)
    text = json.dumps(ordinary())[:-1].encode() + b', "y": "\\\0"}'
    assert b'"\\\0"' in text
    assert not native.create(text)


def test_nesting_without_end_is_left_to_python(native: Native) -> None:
    native.keep(ordinary(), EDITS)
    for text in ("[" * 100_000, '{"a":' * 100_000):
        assert not native.create(json.dumps(ordinary())[:-1] + ', "x": ' + text)
