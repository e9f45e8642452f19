"""CDI specs that NVIDIA's toolkit wrote: an engine applies one, and our program of its hook's name does the rest."""

import copy
import os
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests import cdi_engine, hosts, mounts, rootfs
from tests.containers import HOST_ID_OF_ROOT, Bundle, Outcome, Runtime, new_bundle, run
from tests.elf import library
from tests.privileged import inside
from tests.rootfs import Kind, fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged

FOLDER = "/usr/lib/x86_64-linux-gnu"


@pytest.fixture(scope="module")
def spec(toolkit_550: Toolkit) -> dict[str, Any]:
    """What the toolkit 1.20 wrote for the recorded host, with the paths of this one."""
    with open(f"{hosts.GOLDEN}/h100x8-550/expected.cdi.yaml", encoding="utf-8") as file:
        text = file.read()
    text = text.replace("/driver-root/", f"{toolkit_550.driver_root}/")
    text = text.replace("/usr/bin/nvidia-cdi-hook", f"{toolkit_550.place.programs}/nvidia-cdi-hook")
    found: dict[str, Any] = YAML(typ="safe").load(text)
    edits = found["containerEdits"]
    edits["mounts"] = [mount for mount in edits["mounts"] if os.path.exists(mount["hostPath"])]
    return found


def test_the_spec_has_the_six_hooks_of_the_toolkit(spec: dict[str, Any]) -> None:
    assert [hook["args"][1] for hook in spec["containerEdits"]["hooks"]] == [
        "create-symlinks",
        "create-symlinks",
        "enable-cuda-compat",
        "update-ldcache",
        "disable-device-node-modification",
        "update-application-profile",
    ]
    # Not all of the recorded host's files are among those of the driver packages that tests unpack.
    assert len(spec["containerEdits"]["mounts"]) > 20


def test_an_older_spec_whose_hooks_are_of_nvidia_ctk_works_as_it_is(
    spec: dict[str, Any], toolkit_550: Toolkit, runc: Runtime
) -> None:
    older = copy.deepcopy(spec)
    for hook in older["containerEdits"]["hooks"]:
        hook["path"] = f"{toolkit_550.place.programs}/nvidia-ctk"
        hook["args"] = ["nvidia-ctk", "hook", *hook["args"][1:]]
    outcome = cdi_engine.start(older, runc, inside.open_libraries(*inside.LIBRARIES), ["1"])
    inside.assert_found(outcome, *inside.LIBRARIES)


@pytest.mark.parametrize("devices", [["0", "2"], ["all"], ["5"]])
def test_the_real_nvidia_smi_lists_exactly_the_devices_named(
    spec: dict[str, Any], runtime: Runtime, devices: list[str]
) -> None:
    expected = range(8) if devices == ["all"] else map(int, devices)
    outcome = cdi_engine.start(spec, runtime, inside.LIST_GPUS, devices)
    assert inside.uuids(outcome.output) == inside.gpu_uuids(expected), outcome


@pytest.mark.parametrize("kind", rootfs.KINDS)
def test_the_driver_libraries_are_found_by_name_in_an_empty_environment(
    spec: dict[str, Any], runtime: Runtime, kind: Kind
) -> None:
    outcome = cdi_engine.start(
        spec, runtime, inside.open_libraries(*inside.LIBRARIES, musl=kind == "musl"), ["0"], kind=kind
    )
    inside.assert_found(outcome, *inside.LIBRARIES)


def test_below_a_root_that_is_read_only_for_the_container_too(spec: dict[str, Any], runtime: Runtime) -> None:
    command = inside.open_libraries(*inside.LIBRARIES)
    outcome = cdi_engine.start(spec, runtime, command, ["0"], shape=Bundle.read_only)
    inside.assert_found(outcome, *inside.LIBRARIES)


def test_a_root_that_was_mounted_read_only_needs_no_writing_once_it_is_prepared(
    spec: dict[str, Any], runtime: Runtime
) -> None:
    command = inside.open_libraries(*inside.LIBRARIES)
    with fresh_root() as root:
        inside.assert_found(run_in(root, runtime, command, spec), *inside.LIBRARIES)
        with mounts.read_only(root), new_bundle(root, *command) as bundle:
            cdi_engine.inject(bundle.read_only().config, spec, ["0"])
            inside.assert_found(run(runtime, bundle), *inside.LIBRARIES)


def test_a_container_in_a_user_namespace_finds_them_too(
    spec: dict[str, Any], toolkit_550: Toolkit, runtime: Runtime
) -> None:
    command = inside.open_libraries(*inside.LIBRARIES)
    # There a runtime cannot make nodes: it bind-mounts those of the host, by their path in the container.
    with mounts.devices_of(toolkit_550.driver_root), fresh_root() as root, new_bundle(root, *command) as bundle:
        rootfs.give_folders_to(root, HOST_ID_OF_ROOT)
        bundle.user_namespace()
        cdi_engine.inject(bundle.config, spec, ["0"])
        inside.assert_found(run(runtime, bundle), *inside.LIBRARIES)


@pytest.mark.parametrize("kind", ["debian", "musl"])
def test_links_that_a_spec_leaves_to_ldconfig_are_made(spec: dict[str, Any], runtime: Runtime, kind: Kind) -> None:
    hooks = [hook for hook in spec["containerEdits"]["hooks"] if "create-symlinks" not in hook["args"]]
    changed = {**spec, "containerEdits": {**spec["containerEdits"], "hooks": hooks}}
    command = inside.open_libraries(*inside.LIBRARIES, musl=kind == "musl")
    inside.assert_found(cdi_engine.start(changed, runtime, command, ["0"], kind=kind), *inside.LIBRARIES)


def test_the_drivers_libraries_go_before_the_images_whose_own_order_stays(
    spec: dict[str, Any], runtime: Runtime
) -> None:
    listing = ("/bin/sh", "-c", r"/sbin/ldconfig -p | sed -n 's/^\s*\(libcuda.so.1\|libz.so.1\) .*=> /\1 /p'")
    with fresh_root() as root:
        for name in ("libz.so.1", "libcuda.so.1"):
            Path(f"{root}/usr/local/lib/{name}").write_bytes(library(name))
        run_in(root, runtime, ("/sbin/ldconfig",), None)
        places = inside.answers("\n".join(reversed(run_in(root, runtime, listing, spec).output.splitlines())))
    assert places == {"libcuda.so.1": f"{FOLDER}/libcuda.so.1", "libz.so.1": "/usr/local/lib/libz.so.1"}


def run_in(root: str, runtime: Runtime, command: tuple[str, ...], spec: dict[str, Any] | None) -> Outcome:
    with new_bundle(root, *command) as bundle:
        if spec:
            cdi_engine.inject(bundle.config, spec, ["0"])
        return run(runtime, bundle)


def test_a_second_start_of_the_same_root_changes_nothing_in_it(spec: dict[str, Any], runtime: Runtime) -> None:
    watched = ("etc/ld.so.cache", "etc/ld.so.conf.d/00-linkspan.conf", f"{FOLDER[1:]}/libcuda.so.1")
    with fresh_root() as root:
        seen = []
        for _ in range(2):
            inside.assert_found(
                run_in(root, runtime, inside.open_libraries(*inside.LIBRARIES), spec), *inside.LIBRARIES
            )
            seen.append([os.lstat(f"{root}/{path}").st_ino for path in watched])
        assert seen[0] == seen[1]
        assert not os.path.lexists(f"{root}/run/nvidia-ctk-hook")


def test_a_hook_of_a_newer_toolkit_does_not_keep_the_container_from_starting(
    spec: dict[str, Any], runc: Runtime
) -> None:
    hooks = spec["containerEdits"]["hooks"]
    newer = {**hooks[0], "args": ["nvidia-cdi-hook", "invented-later", "--with=flags"]}
    changed = {**spec, "containerEdits": {**spec["containerEdits"], "hooks": [*hooks, newer]}}
    outcome = cdi_engine.start(changed, runc, inside.open_libraries(*inside.LIBRARIES), ["0"])
    inside.assert_found(outcome, *inside.LIBRARIES)


def test_a_folder_of_the_image_that_leads_out_of_it_is_refused(
    spec: dict[str, Any], runc: Runtime, tmp_path: Path
) -> None:
    with fresh_root() as root:
        os.symlink(str(tmp_path), f"{root}/evil")
        hook = spec["containerEdits"]["hooks"][0]
        args = ["nvidia-cdi-hook", "create-symlinks", "--link", "x::/evil/link"]
        changed = {**spec, "containerEdits": {"hooks": [{**hook, "args": args}]}}
        outcome = run_in(root, runc, ("/bin/true",), changed)
    assert outcome.created != 0
    assert "linkspan-cdi-hook: /evil in the container is a link to nowhere in it" in outcome.errors, outcome
    assert os.listdir(tmp_path) == []
