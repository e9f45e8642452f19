"""The prestart hook: containers created without GPUs and given them before they run, as Docker does for ``--gpus``."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests import mounts, rootfs
from tests.containers import HOST_ID_OF_ROOT, Bundle, Outcome, Runtime, new_bundle, run
from tests.privileged import inside
from tests.rootfs import Kind, fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged

NAME = "nvidia-container-runtime-hook"
REQUESTS = {"all": range(8), "0,2": (0, 2), inside.gpu_uuids([7])[0]: (7,), "3,3": (3,), "none": (), "void": ()}


def hooked(toolkit: Toolkit, bundle: Bundle, *, top: str = "", mode: str = "auto") -> Bundle:
    """The bundle with the hook as Docker writes it: a name, ``prestart``, and the engine's environment."""
    wrapper = toolkit.wrapper("/bin/true", top=top, mode=mode)
    env = [f"{key}={value}" for key, value in {"PATH": os.defpath, **wrapper.env}.items()]
    entry = {"path": toolkit.place.prestart, "args": [NAME, "prestart"], "env": env}
    bundle.config["hooks"] = {"prestart": [entry]}
    return bundle


def start(toolkit: Toolkit, runtime: Runtime, command: tuple[str, ...], *env: str, kind: Kind = "debian") -> Outcome:
    with fresh_root(kind) as root, new_bundle(root, *command) as bundle:
        return run(runtime, hooked(toolkit, bundle.env(*env)))


@pytest.mark.parametrize("request_", REQUESTS)
def test_the_gpus_asked_for_are_seen_and_no_other_node_opens(
    toolkit_550: Toolkit, runtime: Runtime, request_: str
) -> None:
    asked = f"NVIDIA_VISIBLE_DEVICES={request_}"
    if request_ not in ("none", "void"):
        listed = start(toolkit_550, runtime, inside.LIST_GPUS, asked)
        assert inside.uuids(listed.output) == inside.gpu_uuids(REQUESTS[request_]), listed
    opened = start(toolkit_550, runtime, inside.open_nodes(), asked)
    assert inside.answers(opened.output) == inside.only_minors(REQUESTS[request_]), opened


@pytest.mark.parametrize(("asked", "shown"), [("0,2", [0, 2]), ("all", range(8)), ("none", [])])
def test_the_driver_tells_of_its_own_gpus_alone(
    toolkit_550: Toolkit, runtime: Runtime, asked: str, shown: Iterable[int]
) -> None:
    outcome = look_into_proc(toolkit_550, runtime, lambda bundle: bundle.env(f"NVIDIA_VISIBLE_DEVICES={asked}"))
    assert outcome.output.split("\n") == [*(inside.FOLDERS[index] for index in shown), "ModifyDeviceFiles: 0", ""]


def test_a_privileged_container_is_told_of_all_gpus(toolkit_550: Toolkit, runc: Runtime) -> None:
    outcome = look_into_proc(toolkit_550, runc, lambda bundle: bundle.env("NVIDIA_VISIBLE_DEVICES=0").privileged())
    assert outcome.output.split()[:8] == inside.FOLDERS


def test_in_a_user_namespace_the_driver_tells_of_its_own_gpus_alone(toolkit_550: Toolkit, runc: Runtime) -> None:
    with mounts.devices_of(toolkit_550.driver_root):
        outcome = look_into_proc(toolkit_550, runc, lambda bundle: in_a_user_namespace(bundle, "0,2"))
    assert outcome.output.split()[:-2] == [inside.FOLDERS[0], inside.FOLDERS[2]], outcome


def in_a_user_namespace(bundle: Bundle, asked: str) -> Bundle:
    rootfs.give_folders_to(bundle.config["root"]["path"], HOST_ID_OF_ROOT)
    return bundle.env(f"NVIDIA_VISIBLE_DEVICES={asked}").user_namespace()


def look_into_proc(toolkit: Toolkit, runtime: Runtime, shape: Callable[[Bundle], Bundle]) -> Outcome:
    proc, command = mounts.driver_proc_of(toolkit.driver_root), inside.LIST_GPU_FOLDERS
    with proc, fresh_root() as root, new_bundle(root, *command) as bundle:
        return run(runtime, hooked(toolkit, shape(bundle.host_proc())))


@pytest.mark.parametrize("kind", rootfs.KINDS)
def test_the_driver_libraries_are_found_by_name(toolkit: Toolkit, runtime: Runtime, kind: Kind) -> None:
    command = inside.open_libraries(*inside.LIBRARIES, musl=kind == "musl")
    inside.assert_found(start(toolkit, runtime, command, "NVIDIA_VISIBLE_DEVICES=0", kind=kind), *inside.LIBRARIES)


def test_a_root_that_is_read_only_for_the_container_finds_them_too(toolkit_550: Toolkit, runtime: Runtime) -> None:
    with fresh_root() as root, new_bundle(root, *inside.open_libraries(*inside.LIBRARIES)) as bundle:
        outcome = run(runtime, hooked(toolkit_550, bundle.env("NVIDIA_VISIBLE_DEVICES=0").read_only()))
    inside.assert_found(outcome, *inside.LIBRARIES)


def test_where_nothing_is_said_compute_and_utility_are_given(toolkit_550: Toolkit, runc: Runtime) -> None:
    command = inside.open_libraries("libcuda.so.1", "libnvidia-ml.so.1", "libnvidia-encode.so.1")
    found = inside.answers(start(toolkit_550, runc, command, "NVIDIA_VISIBLE_DEVICES=0").output)
    assert found["libcuda.so.1"].startswith("/")
    assert found["libnvidia-ml.so.1"].startswith("/")
    assert not found["libnvidia-encode.so.1"].startswith("/")


def test_a_capability_alone_brings_its_own_libraries_and_no_others(toolkit_550: Toolkit, runc: Runtime) -> None:
    asked = ("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_DRIVER_CAPABILITIES=utility")
    command = inside.open_libraries("libcuda.so.1", "libnvidia-ml.so.1")
    found = inside.answers(start(toolkit_550, runc, command, *asked).output)
    assert found["libnvidia-ml.so.1"].startswith("/")
    assert not found["libcuda.so.1"].startswith("/")


def test_what_is_mounted_cannot_be_written_and_is_private(toolkit_550: Toolkit, runtime: Runtime) -> None:
    command = ("/bin/sh", "-c", "grep nvidia /proc/self/mountinfo")
    lines = start(toolkit_550, runtime, command, "NVIDIA_VISIBLE_DEVICES=0").output.splitlines()
    of_the_driver = [line for line in lines if "/usr/" in line.split()[4]]
    assert len(of_the_driver) > 5
    for line in of_the_driver:
        before, _, _ = line.partition(" - ")
        assert {"ro", "nosuid", "nodev"} <= set(before.split()[5].split(",")), line
        assert "shared:" not in before
        assert "master:" not in before


def test_a_container_that_asks_for_nothing_is_left_alone(toolkit_550: Toolkit, runtime: Runtime) -> None:
    outcome = start(toolkit_550, runtime, ("/bin/sh", "-c", "ls /dev; ldconfig -p"))
    assert outcome.exit == 0, outcome
    assert "nvidia" not in outcome.output


REFUSED = {
    ("NVIDIA_VISIBLE_DEVICES=77",): "this host has GPUs 0, 1, 2, 3, 4, 5, 6, 7;",
    ("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_REQUIRE_CUDA=cuda>=99.0"): "cuda>=99.0",
    ("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_DRIVER_CAPABILITIES=computer"): "computer",
    ("NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=0",): "CDI device name",
    ("NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_MIG_CONFIG_DEVICES=all"): "CAP_SYS_ADMIN",
}


@pytest.mark.parametrize("env", REFUSED, ids=lambda env: env[-1])
def test_what_cannot_be_granted_is_refused_in_one_sentence(
    toolkit_550: Toolkit, runc: Runtime, env: tuple[str, ...]
) -> None:
    outcome = start(toolkit_550, runc, ("/bin/true",), *env)
    assert outcome.created != 0
    assert REFUSED[env] in outcome.errors, outcome
    assert "Traceback" not in outcome.errors


def test_annotations_are_not_the_hooks_business(toolkit_550: Toolkit, runc: Runtime) -> None:
    with fresh_root() as root, new_bundle(root, *inside.LIST_GPUS) as bundle:
        bundle.config["annotations"] = {"cdi.k8s.io/x": "nvidia.com/gpu=5"}
        outcome = run(runc, hooked(toolkit_550, bundle.env("NVIDIA_VISIBLE_DEVICES=1")))
    assert inside.uuids(outcome.output) == inside.gpu_uuids([1]), outcome


def test_a_user_of_its_own_reaches_the_gpu(toolkit_550: Toolkit, runtime: Runtime) -> None:
    with fresh_root() as root, new_bundle(root, *inside.LIST_GPUS) as bundle:
        bundle.config["process"]["user"] = {"uid": 1000, "gid": 1000}
        outcome = run(runtime, hooked(toolkit_550, bundle.env("NVIDIA_VISIBLE_DEVICES=4")))
    assert inside.uuids(outcome.output) == inside.gpu_uuids([4]), outcome


def test_a_container_in_a_user_namespace_gets_its_gpus_and_owns_what_is_made(
    toolkit_550: Toolkit, runtime: Runtime
) -> None:
    with mounts.devices_of(toolkit_550.driver_root), fresh_root() as root:
        rootfs.give_folders_to(root, HOST_ID_OF_ROOT)
        with new_bundle(root, *inside.LIST_GPUS) as bundle:
            bundle.env("NVIDIA_VISIBLE_DEVICES=0,2").user_namespace()
            outcome = run(runtime, hooked(toolkit_550, bundle))
            assert outcome.created == 0, outcome
            made = os.lstat(f"{root}/usr/lib/x86_64-linux-gnu/libcuda.so.1")
    assert inside.uuids(outcome.output) == inside.gpu_uuids([0, 2]), outcome
    assert (made.st_uid, made.st_gid) == (HOST_ID_OF_ROOT, HOST_ID_OF_ROOT)


def test_nodes_that_a_privileged_container_has_already_stay(toolkit_550: Toolkit, runc: Runtime) -> None:
    with fresh_root() as root, new_bundle(root, *inside.LIST_GPUS) as bundle:
        node = {"path": "/dev/nvidia3", "type": "c", "major": 195, "minor": 3, "fileMode": 0o600, "uid": 0, "gid": 0}
        bundle.config["linux"].setdefault("devices", []).append(node)
        outcome = run(runc, hooked(toolkit_550, bundle.env("NVIDIA_VISIBLE_DEVICES=3")))
    assert inside.uuids(outcome.output) == inside.gpu_uuids([3]), outcome


def test_another_device_in_a_nodes_place_is_refused(toolkit_550: Toolkit, runc: Runtime) -> None:
    with fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
        node = {"path": "/dev/nvidia3", "type": "c", "major": 1, "minor": 3}
        bundle.config["linux"].setdefault("devices", []).append(node)
        outcome = run(runc, hooked(toolkit_550, bundle.env("NVIDIA_VISIBLE_DEVICES=3")))
    assert outcome.created != 0
    assert "/dev/nvidia3 in the container is not the device that it should be" in outcome.errors


@pytest.mark.parametrize("path", ["/usr/lib/x86_64-linux-gnu", "/usr/bin/nvidia-smi", "/dev/nvidia0", "/etc"])
@pytest.mark.parametrize("lead", ["{outside}", "../../../../../../../..{outside}", "/proc/self/root{outside}"])
def test_no_symlink_of_an_image_leads_the_hook_out(
    toolkit_550: Toolkit, runc: Runtime, tmp_path: Path, path: str, lead: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("the host's")
    target = outside if path in ("/usr/lib/x86_64-linux-gnu", "/etc") else outside / "file"
    before = mount_points()
    with fresh_root() as root:
        place = root + path
        if os.path.isdir(place):
            shutil.rmtree(place)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink(lead.format(outside=target), place)
        with new_bundle(root, "/bin/true") as bundle:
            run(runc, hooked(toolkit_550, bundle.env("NVIDIA_VISIBLE_DEVICES=0")))
        assert mount_points() - before == {root}
    assert (outside / "file").read_text() == "the host's"
    assert sorted(os.listdir(outside)) == ["file"]


@pytest.mark.parametrize("times", [1, 3])
def test_a_symlink_into_a_volume_that_the_host_shares_mounts_nothing_on_the_host(
    toolkit_550: Toolkit, runc: Runtime, tmp_path: Path, times: int
) -> None:
    """The first start is Python's; the third one would be the launcher's, if it were like the first."""
    volume = tmp_path / "volume"
    volume.mkdir()
    tool("mount", "--bind", str(volume), str(volume))
    tool("mount", "--make-shared", str(volume))
    try:
        (volume / "victim").write_text("the host's")
        before = mount_points()
        for _ in range(times):
            with fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
                os.symlink("/srv/victim", f"{root}/usr/bin/nvidia-smi")
                bundle.mount(str(volume), "/srv", "rshared")
                bundle.config["linux"]["rootfsPropagation"] = "rshared"
                outcome = run(runc, hooked(toolkit_550, bundle.env("NVIDIA_VISIBLE_DEVICES=0")))
            assert outcome.created != 0
            assert "/usr/bin/nvidia-smi lies in a mount that the host shares" in outcome.errors
            assert (volume / "victim").read_text() == "the host's"
            assert mount_points() == before
    finally:
        tool("umount", "--lazy", str(volume))


def test_a_volume_that_the_host_shares_is_no_hindrance(toolkit_550: Toolkit, runc: Runtime, tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    tool("mount", "--bind", str(tmp_path / "volume"), str(tmp_path / "volume"))
    tool("mount", "--make-shared", str(tmp_path / "volume"))
    try:
        before = mount_points()
        for _ in range(3):
            with fresh_root() as root, new_bundle(root, *inside.LIST_GPUS) as bundle:
                bundle.mount(str(tmp_path / "volume"), "/srv", "rshared")
                bundle.config["linux"]["rootfsPropagation"] = "rshared"
                outcome = run(runc, hooked(toolkit_550, bundle.env("NVIDIA_VISIBLE_DEVICES=0")))
            assert inside.uuids(outcome.output) == inside.gpu_uuids([0]), outcome
            assert mount_points() == before
    finally:
        tool("umount", "--lazy", str(tmp_path / "volume"))


@pytest.mark.parametrize("path", ["/etc", "/usr/lib/x86_64-linux-gnu"])
def test_a_symlink_into_a_volume_writes_nothing_there(
    toolkit_550: Toolkit, runc: Runtime, tmp_path: Path, path: str
) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "ld.so.cache").write_text("another's")
    for _ in range(3):
        with fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
            shutil.rmtree(root + path)
            os.symlink("/vol", root + path)
            bundle.mount(str(volume), "/vol", "rw")
            outcome = run(runc, hooked(toolkit_550, bundle.env("NVIDIA_VISIBLE_DEVICES=0")))
        assert outcome.created != 0
        assert "a symlink of the image leads from" in outcome.errors
        assert sorted(os.listdir(volume)) == ["ld.so.cache"]
        assert (volume / "ld.so.cache").read_text() == "another's"


def test_a_volume_that_is_mounted_where_we_write_is_written(
    toolkit_550: Toolkit, runc: Runtime, tmp_path: Path
) -> None:
    volume = tmp_path / "etc"
    with fresh_root() as root, new_bundle(root, *inside.open_libraries("libcuda.so.1")) as bundle:
        shutil.copytree(f"{root}/etc", volume, symlinks=True)
        bundle.mount(str(volume), "/etc", "rw")
        outcome = run(runc, hooked(toolkit_550, bundle.env("NVIDIA_VISIBLE_DEVICES=0")))
    inside.assert_found(outcome, "libcuda.so.1")


def test_a_container_without_mounts_of_its_own_is_refused(toolkit_550: Toolkit) -> None:
    before = mount_points()
    with fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
        bundle.env("NVIDIA_VISIBLE_DEVICES=0").write()
        wrapper = toolkit_550.wrapper("/bin/true")
        sleeper = subprocess.Popen(["sleep", "60"])
        try:
            state = {"bundle": bundle.folder, "pid": sleeper.pid}
            for _ in range(2):
                done = call(toolkit_550, "prestart", given=json.dumps(state), **wrapper.env)
                assert done.returncode == 1
                assert "the container has no mounts of its own" in done.stderr
        finally:
            sleeper.kill()
            sleeper.wait()
    assert mount_points() == before


def tool(*argv: str) -> None:
    subprocess.run(argv, check=True, timeout=20)


def mount_points() -> set[str]:
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return {line.split()[4] for line in file}


def call(toolkit: Toolkit, *arguments: str, given: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [toolkit.place.prestart, *arguments],
        input=given,
        env={"PATH": os.defpath, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_its_command_line_is_that_of_the_name_it_has(toolkit_550: Toolkit) -> None:
    for command in ("poststart", "poststop"):
        done = call(toolkit_550, command)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for wrong in ((), ("nonsense",), ("-wrong", "prestart")):
        done = call(toolkit_550, *wrong)
        assert done.returncode == 2
        assert done.stderr.startswith("usage: nvidia-container-runtime-hook ")
    version = call(toolkit_550, "--version")
    assert (version.returncode, version.stdout.count("\n")) == (0, 1)


BROKEN: dict[str, Any] = {
    "no state": "",
    "no JSON": "{",
    "no bundle": "{}",
    "no such bundle": json.dumps({"bundle": "/nowhere", "pid": 1}),
    "a list": "[]",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_state_is_refused_in_one_line(toolkit_550: Toolkit, name: str) -> None:
    done = call(toolkit_550, "prestart", given=BROKEN[name])
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("nvidia-container-runtime-hook: ")


def test_a_process_that_is_gone_is_refused_in_one_line(toolkit_550: Toolkit) -> None:
    with fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
        bundle.env("NVIDIA_VISIBLE_DEVICES=0").write()
        wrapper = toolkit_550.wrapper("/bin/true")
        state = {"bundle": bundle.folder, "pid": 4194303}
        done = call(toolkit_550, "prestart", given=json.dumps(state), **wrapper.env)
        state["pid"] = 0
        without = call(toolkit_550, "prestart", given=json.dumps(state), **wrapper.env)
    for outcome in (done, without):
        assert outcome.returncode == 1
        assert outcome.stderr.count("\n") == 1, outcome


def test_mode_legacy_starts_containers_through_the_wrapper_and_this_hook(toolkit_550: Toolkit, runc: Runtime) -> None:
    program = shutil.which("runc") or "runc"
    with fresh_root() as root, new_bundle(root, *inside.LIST_GPUS) as bundle:
        raw = f'[nvidia-container-runtime-hook]\npath = "{toolkit_550.place.prestart}"\n'
        wrapper = toolkit_550.wrapper(program, mode="legacy")
        with open(wrapper.env["NVIDIA_CTK_CONFIG_FILE_PATH"], "a", encoding="utf-8") as file:
            file.write(raw)
        outcome = run(runc, bundle.env("NVIDIA_VISIBLE_DEVICES=0,2"), wrapper)
        with open(bundle.path, encoding="utf-8") as file:
            assert [entry["path"] for entry in json.load(file)["hooks"]["prestart"]] == [toolkit_550.place.prestart]
    assert inside.uuids(outcome.output) == inside.gpu_uuids([0, 2]), outcome
