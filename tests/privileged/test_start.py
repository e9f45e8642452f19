"""The wrapper path: real containers, started through linkspan-runtime, with Debian's real driver files."""

import shutil
from pathlib import Path

import pytest

from linkspan.sim.spec import SimSpec
from tests import driver_files, mounts, rootfs
from tests.containers import HOST_ID_OF_ROOT, Outcome, Runtime, new_bundle, run
from tests.privileged import inside
from tests.rootfs import Kind, fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged

REQUESTS = {"all": range(8), "0,2": (0, 2), "5": (5,), inside.gpu_uuids([7])[0]: (7,), "2,2": (2,), "none": ()}


def start(toolkit: Toolkit, runtime: Runtime, command: tuple[str, ...], *env: str, kind: Kind = "debian") -> Outcome:
    with fresh_root(kind) as root, new_bundle(root, *command) as bundle:
        return run(runtime, bundle.env(*env), toolkit.over(runtime))


@pytest.mark.parametrize("request_", [request for request in REQUESTS if request != "none"])
def test_the_real_nvidia_smi_lists_exactly_the_gpus_asked_for(
    toolkit: Toolkit, runtime: Runtime, request_: str
) -> None:
    outcome = start(toolkit, runtime, inside.LIST_GPUS, f"NVIDIA_VISIBLE_DEVICES={request_}")
    assert inside.uuids(outcome.output) == inside.gpu_uuids(REQUESTS[request_]), outcome
    assert outcome.exit == 0


@pytest.mark.parametrize("request_", REQUESTS)
def test_only_the_nodes_asked_for_can_be_opened(toolkit_550: Toolkit, runtime: Runtime, request_: str) -> None:
    outcome = start(toolkit_550, runtime, inside.open_nodes(), f"NVIDIA_VISIBLE_DEVICES={request_}")
    assert inside.answers(outcome.output) == inside.only_minors(REQUESTS[request_]), outcome


def test_a_container_that_asks_for_nothing_gets_nothing(toolkit_550: Toolkit, runtime: Runtime) -> None:
    outcome = start(toolkit_550, runtime, ("/bin/sh", "-c", "ls /dev; ldconfig -p"))
    assert outcome.exit == 0, outcome
    assert "nvidia" not in outcome.output
    assert "libcuda" not in outcome.output


@pytest.mark.parametrize("kind", rootfs.KINDS)
def test_the_driver_libraries_are_found_by_name_in_an_empty_environment(
    toolkit: Toolkit, runtime: Runtime, kind: Kind
) -> None:
    command = inside.open_libraries(*inside.LIBRARIES, musl=kind == "musl")
    outcome = start(toolkit, runtime, command, "NVIDIA_VISIBLE_DEVICES=0", kind=kind)
    inside.assert_found(outcome, *inside.LIBRARIES)


def test_a_root_that_is_read_only_for_the_container_finds_them_too(toolkit_550: Toolkit, runtime: Runtime) -> None:
    command = inside.open_libraries(*inside.LIBRARIES)
    with fresh_root() as root, new_bundle(root, *command) as bundle:
        bundle.env("NVIDIA_VISIBLE_DEVICES=0").read_only()
        outcome = run(runtime, bundle, toolkit_550.over(runtime))
    inside.assert_found(outcome, *inside.LIBRARIES)


def test_libraries_of_the_image_are_still_found_after_ours(toolkit_550: Toolkit, runtime: Runtime) -> None:
    outcome = start(toolkit_550, runtime, inside.open_libraries("libgcrypt.so.20"), "NVIDIA_VISIBLE_DEVICES=0")
    inside.assert_found(outcome, "libgcrypt.so.20")


def test_a_container_in_a_user_namespace_gets_its_gpus(toolkit_550: Toolkit, runtime: Runtime) -> None:
    for command in (inside.LIST_GPUS, inside.open_libraries("libcuda.so.1")):
        # There a runtime cannot make nodes: it bind-mounts those of the host, by their path in the container.
        with mounts.devices_of(toolkit_550.driver_root), fresh_root() as root, new_bundle(root, *command) as bundle:
            rootfs.give_folders_to(root, HOST_ID_OF_ROOT)
            bundle.env("NVIDIA_VISIBLE_DEVICES=0,2").user_namespace()
            outcome = run(runtime, bundle, toolkit_550.over(runtime))
        assert outcome.exit == 0, outcome
        if command is inside.LIST_GPUS:
            assert inside.uuids(outcome.output) == inside.gpu_uuids([0, 2])


CAPABILITY_FILES = {
    "utility": ("libnvidia-ml.so.1", ("libcuda.so.1", "libnvidia-encode.so.1", "libEGL_nvidia.so.0")),
    "compute": ("libcuda.so.1", ("libnvidia-encode.so.1", "libEGL_nvidia.so.0", "libnvidia-fbc.so.1")),
    "video": ("libnvidia-encode.so.1", ("libEGL_nvidia.so.0", "libnvidia-ngx.so.1")),
}


@pytest.mark.parametrize("capability", CAPABILITY_FILES)
def test_a_capability_brings_its_own_libraries_and_no_others(
    toolkit_550: Toolkit, runc: Runtime, capability: str
) -> None:
    present, absent = CAPABILITY_FILES[capability]
    asked = ("NVIDIA_VISIBLE_DEVICES=0", f"NVIDIA_DRIVER_CAPABILITIES={capability}")
    outcome = start(toolkit_550, runc, inside.open_libraries(present, *absent), *asked)
    found = inside.answers(outcome.output)
    assert found[present].startswith("/"), outcome
    assert not [name for name in absent if found[name].startswith("/")], outcome


def test_a_second_start_of_the_same_root_changes_nothing_in_it(toolkit_550: Toolkit, runc: Runtime) -> None:
    with fresh_root() as root:
        caches = []
        for _ in range(2):
            with new_bundle(root, *inside.LIST_GPUS) as bundle:
                outcome = run(runc, bundle.env("NVIDIA_VISIBLE_DEVICES=0,2"), toolkit_550.over(runc))
            assert inside.uuids(outcome.output) == inside.gpu_uuids([0, 2]), outcome
            with open(f"{root}/etc/ld.so.cache", "rb") as file:
                caches.append(file.read())
        assert caches[0] == caches[1]


@pytest.mark.parametrize("series", ["535", "550"])
def test_a_driver_behind_debians_alternatives_is_carried_across(
    runc: Runtime, series: driver_files.Series, tmp_path: Path
) -> None:
    with driver_files.gpu_host(series, SimSpec(gpus=8, model="H100"), "debian") as host:
        toolkit = Toolkit(str(tmp_path), host)
        listed = start(toolkit, runc, inside.LIST_GPUS, "NVIDIA_VISIBLE_DEVICES=0,2")
        opened = start(toolkit, runc, inside.open_libraries(*inside.LIBRARIES), "NVIDIA_VISIBLE_DEVICES=0,2")
    assert inside.uuids(listed.output) == inside.gpu_uuids([0, 2]), listed
    inside.assert_found(opened, *inside.LIBRARIES)


def test_the_libraries_of_a_musl_image_are_still_found_after_ours(toolkit_550: Toolkit, runc: Runtime) -> None:
    command = inside.open_libraries("libown.so", *inside.LIBRARIES, musl=True)
    with fresh_root("musl") as root, new_bundle(root, *command) as bundle:
        shutil.copy(
            f"{toolkit_550.driver_root}/{driver_files.LIBRARIES}/libnvidia-ml.so.1", f"{root}/usr/lib/libown.so"
        )
        outcome = run(runc, bundle.env("NVIDIA_VISIBLE_DEVICES=0"), toolkit_550.over(runc))
    assert inside.answers(outcome.output)["libown.so"] == "/usr/lib/libown.so", outcome
