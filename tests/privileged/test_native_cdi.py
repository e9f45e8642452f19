"""The native path: an engine applies our CDI spec itself, and the low-level runtime runs our one hook."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import cdi_engine, mounts, rootfs
from tests.containers import Bundle, Outcome, Runtime, new_bundle, run
from tests.privileged import inside
from tests.rootfs import Kind, fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged


@pytest.fixture(scope="module")
def spec(toolkit_550: Toolkit) -> dict[str, Any]:
    """The CDI spec that ``linkspan cdi generate`` writes for the host."""
    return toolkit_550.generate()


def test_the_spec_names_one_hook_and_no_more(spec: dict[str, Any]) -> None:
    hooks = [hook for edits in all_edits(spec) for hook in edits.get("hooks", ())]
    assert [hook["hookName"] for hook in hooks] == ["createContainer"]
    assert hooks[0]["env"]


def all_edits(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [spec.get("containerEdits", {}), *(device["containerEdits"] for device in spec["devices"])]


@pytest.mark.parametrize(("devices", "expected"), [(["0", "2"], (0, 2)), (["all"], range(8)), (["5"], (5,))])
def test_the_real_nvidia_smi_lists_exactly_the_devices_named(
    spec: dict[str, Any], runtime: Runtime, devices: list[str], expected: tuple[int, ...]
) -> None:
    outcome = cdi_engine.start(spec, runtime, inside.LIST_GPUS, devices)
    assert inside.uuids(outcome.output) == inside.gpu_uuids(expected), outcome


def test_only_the_nodes_named_can_be_opened(spec: dict[str, Any], runtime: Runtime) -> None:
    outcome = cdi_engine.start(spec, runtime, inside.open_nodes(), ["0", "2"])
    assert inside.answers(outcome.output) == inside.only_minors([0, 2]), outcome


@pytest.mark.parametrize("kind", rootfs.KINDS)
def test_the_hook_makes_the_driver_libraries_found_by_name(spec: dict[str, Any], runtime: Runtime, kind: Kind) -> None:
    outcome = cdi_engine.start(
        spec, runtime, inside.open_libraries(*inside.LIBRARIES, musl=kind == "musl"), ["0"], kind=kind
    )
    inside.assert_found(outcome, *inside.LIBRARIES)


def test_the_hook_works_below_a_root_that_is_read_only_for_the_container(
    spec: dict[str, Any], runtime: Runtime
) -> None:
    outcome = cdi_engine.start(spec, runtime, inside.open_libraries(*inside.LIBRARIES), ["0"], shape=Bundle.read_only)
    inside.assert_found(outcome, *inside.LIBRARIES)


def test_such_a_root_stays_read_only_for_the_container(spec: dict[str, Any], runtime: Runtime) -> None:
    attempts = "for folder in / /etc /usr/lib; do touch $folder/new; done 2>&1 | grep -c 'Read-only file system'"
    outcome = cdi_engine.start(spec, runtime, ("/bin/sh", "-c", attempts), ["0"], shape=Bundle.read_only)
    assert outcome.output == "3\n", outcome


def test_below_such_a_root_the_hook_writes_into_the_volume_that_covers_etc(
    spec: dict[str, Any], runtime: Runtime, tmp_path: Path
) -> None:
    with fresh_root() as root, new_bundle(root, *inside.open_libraries(*inside.LIBRARIES)) as bundle:
        shutil.copytree(f"{root}/etc", tmp_path / "etc", symlinks=True)
        before = cache_of(root)
        bundle.read_only().mount(str(tmp_path / "etc"), "/etc", "rw")
        cdi_engine.inject(bundle.config, spec, ["0"])
        outcome = run(runtime, bundle)
        inside.assert_found(outcome, *inside.LIBRARIES)
        assert b"libcuda.so.1" in cache_of(str(tmp_path))
        assert cache_of(root) == before


def test_a_root_that_was_mounted_read_only_before_is_not_written(spec: dict[str, Any], runtime: Runtime) -> None:
    with prepared_root(spec, runtime) as root:
        link = f"{root}/usr/lib/x86_64-linux-gnu/libcuda.so"
        os.unlink(link)
        with mounts.read_only(root):
            outcome = start_in(root, spec, runtime)
        assert outcome.created != 0
        assert "linkspan-hook" in outcome.errors, outcome
        assert not os.path.lexists(link)


def test_a_root_that_was_prepared_before_it_was_mounted_read_only_needs_no_writing(
    spec: dict[str, Any], runtime: Runtime
) -> None:
    with prepared_root(spec, runtime) as root, mounts.read_only(root):
        inside.assert_found(start_in(root, spec, runtime), *inside.LIBRARIES)


@contextlib.contextmanager
def prepared_root(spec: dict[str, Any], runtime: Runtime) -> Iterator[str]:
    """A root that has all mount points, links and the loader's cache, since a container has used it."""
    with fresh_root() as root:
        inside.assert_found(start_in(root, spec, runtime), *inside.LIBRARIES)
        yield root


def start_in(root: str, spec: dict[str, Any], runtime: Runtime) -> Outcome:
    with new_bundle(root, *inside.open_libraries(*inside.LIBRARIES)) as bundle:
        # Without this, crun 1.8 makes a root writable that was mounted read-only.
        cdi_engine.inject(bundle.read_only().config, spec, ["0"])
        return run(runtime, bundle)


def cache_of(root: str) -> bytes:
    with open(f"{root}/etc/ld.so.cache", "rb") as file:
        return file.read()


def test_device_nodes_cannot_be_made_again_by_the_driver_tools(spec: dict[str, Any], runtime: Runtime) -> None:
    params = "/proc/driver/nvidia/params"
    outcome = cdi_engine.start(
        spec, runtime, ("/bin/sh", "-c", f"test ! -e {params} || grep ModifyDeviceFiles {params}"), ["0"]
    )
    assert outcome.exit == 0, outcome
    assert outcome.output in ("", "ModifyDeviceFiles: 0\n")
