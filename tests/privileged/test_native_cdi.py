"""The native path: an engine applies our CDI spec itself, and the low-level runtime runs our one hook."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import cdi_engine, rootfs
from tests.containers import Bundle, Outcome, Runtime, new_bundle, run
from tests.privileged import inside
from tests.rootfs import Kind, fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged


@pytest.fixture(scope="module")
def spec(toolkit_550: Toolkit) -> dict[str, Any]:
    """The CDI spec that ``linkspan cdi generate`` writes for the host."""
    return toolkit_550.generate()


def start(
    spec: dict[str, Any],
    runtime: Runtime,
    command: tuple[str, ...],
    devices: list[str],
    *,
    kind: Kind = "debian",
    shape: Callable[[Bundle], Any] = lambda bundle: bundle,
) -> Outcome:
    with fresh_root(kind) as root, new_bundle(root, *command) as bundle:
        shape(bundle)
        cdi_engine.inject(bundle.config, spec, devices)
        return run(runtime, bundle)


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
    outcome = start(spec, runtime, inside.LIST_GPUS, devices)
    assert inside.uuids(outcome.output) == inside.gpu_uuids(expected), outcome


def test_only_the_nodes_named_can_be_opened(spec: dict[str, Any], runtime: Runtime) -> None:
    outcome = start(spec, runtime, inside.open_nodes(), ["0", "2"])
    assert inside.answers(outcome.output) == inside.only_minors([0, 2]), outcome


@pytest.mark.parametrize("kind", rootfs.KINDS)
def test_the_hook_makes_the_driver_libraries_found_by_name(spec: dict[str, Any], runtime: Runtime, kind: Kind) -> None:
    outcome = start(spec, runtime, inside.open_libraries(*inside.LIBRARIES, musl=kind == "musl"), ["0"], kind=kind)
    inside.assert_found(outcome, *inside.LIBRARIES)


def test_the_hook_works_below_a_root_that_is_read_only_for_the_container(
    spec: dict[str, Any], runtime: Runtime
) -> None:
    outcome = start(spec, runtime, inside.open_libraries(*inside.LIBRARIES), ["0"], shape=Bundle.read_only)
    inside.assert_found(outcome, *inside.LIBRARIES)


def test_device_nodes_cannot_be_made_again_by_the_driver_tools(spec: dict[str, Any], runtime: Runtime) -> None:
    params = "/proc/driver/nvidia/params"
    outcome = start(spec, runtime, ("/bin/sh", "-c", f"test ! -e {params} || grep ModifyDeviceFiles {params}"), ["0"])
    assert outcome.exit == 0, outcome
    assert outcome.output in ("", "ModifyDeviceFiles: 0\n")
