"""Failures of specs, loader caches and bridges that have more than one cause: each is told as itself."""

import json
from collections.abc import Callable

import pytest

from linkspan.check import registry, run
from linkspan.check.model import RunProgram
from linkspan.sim import create, failing, toolkit
from linkspan.sim.failures import cdi, ldcache
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.processes import container
from linkspan.sim.spec import SimSpec
from linkspan.sim.spec_side import PATH

pytestmark = pytest.mark.allow_subprocess

DOCKER = SimSpec(gpus=2, engines=("docker",))
PODMAN = SimSpec(gpus=2, engines=("podman",))
BOTH = SimSpec(gpus=2, engines=("docker", "podman"))
DRM = SimSpec(gpus=2, drm=True, engines=("podman",))
INTEL = {"cdiVersion": "0.3.0", "kind": "intel.com/gpu", "devices": [{"name": "a", "containerEdits": {"env": ["A=B"]}}]}


def spec_cut_off_while_written(machine: Machine) -> None:
    machine.write(PATH, machine.read(PATH)[:400])


def broken_spec_of_another_vendor(machine: Machine) -> None:
    cdi._never_written(machine)
    machine.write("/etc/cdi/intel.json", "{")


def podman_is_used_beside_docker(machine: Machine) -> None:
    ldcache.nvidias(machine)
    machine.remove(PATH)
    machine.put(container(5001, engine="podman"), RECENTLY)


def podman_looks_elsewhere(machine: Machine) -> None:
    machine.write("/etc/containers/containers.conf", '[engine]\ncdi_spec_dirs = ["/srv/cdi"]\n')


def docker_looks_elsewhere(machine: Machine) -> None:
    machine.remove("/usr/local/bin/*linkspan*", "/usr/local/bin/nvidia-*")
    toolkit.restore_daemon(machine, **{"features": {"cdi": True}, "cdi-spec-dirs": ["/srv/cdi"]})


def spec_for_root_alone(machine: Machine) -> None:
    machine.write(PATH, machine.read(PATH), mode=0o600)
    machine.put(container(5001, engine="podman", uid=1000), RECENTLY)


def no_drm_node_any_more(machine: Machine) -> None:
    machine.remove("/dev/dri/*")


def unit_failed_beside_a_spec_of_another_vendor(machine: Machine) -> None:
    cdi._unit_failed(machine)
    machine.write("/etc/cdi/intel.json", json.dumps(INTEL))


def same_folder_twice(machine: Machine) -> None:
    machine.link("/var/run/cdi/nvidia-too.json", "nvidia.json")


def old_podman_without_a_spec(machine: Machine) -> None:
    cdi._never_written(machine)
    cdi._old_podman(machine)


def hook_that_may_not_be_executed(machine: Machine) -> None:
    machine.write("/usr/local/bin/linkspan-hook", "#!/bin/sh\n", mode=0o644)


def every_gpu_is_passed_through(machine: Machine) -> None:
    for number, address in enumerate(("0000:1a:00.0", "0000:1b:00.0")):
        machine.link(f"/sys/bus/pci/devices/{address}/driver", "../../../bus/pci/drivers/vfio-pci")
        machine.remove(f"/proc/driver/nvidia/gpus/{address}", f"/dev/nvidia{number}", f"/dev/char/195:{number}")


def ldconfig_that_is_nowhere(machine: Machine) -> None:
    ldcache.nvidias(machine)
    toolkit.configure(machine, '"@/sbin/ldconfig"', '"@/opt/glibc/sbin/ldconfig.real"')


def configuration_that_is_no_toml(machine: Machine) -> None:
    machine.write(toolkit.CONFIG, "this = is no TOML\n")


def nothing_behind_the_bridge(machine: Machine) -> None:
    machine.remove("/usr/bin/runc", "/usr/bin/crun")


CASES: list[tuple[Callable[[Machine], None], SimSpec, str, str]] = [
    (spec_cut_off_while_written, PODMAN, "D-CDI-1", "no engine can use /var/run/cdi/nvidia.json"),
    (broken_spec_of_another_vendor, PODMAN, "D-CDI-1", "no spec of nvidia.com/gpu was ever written"),
    (podman_is_used_beside_docker, BOTH, "D-CDI-1", "Podman is asked for GPUs by CDI names"),
    (podman_looks_elsewhere, PODMAN, "D-CDI-1", "Podman looks for specs in /srv/cdi alone"),
    (docker_looks_elsewhere, DOCKER, "D-CDI-1", "Docker looks for specs in /srv/cdi alone"),
    (spec_for_root_alone, PODMAN, "D-CDI-1", "may be read by root alone"),
    (no_drm_node_any_more, DRM, "D-CDI-3", "no DRM node at all"),
    (unit_failed_beside_a_spec_of_another_vendor, PODMAN, "D-CDI-5", "has left no spec"),
    (same_folder_twice, PODMAN, "D-CDI-6", "engines use neither"),
    (old_podman_without_a_spec, PODMAN, "D-CDI-8", "Podman 3.4.4 knows no CDI"),
    (hook_that_may_not_be_executed, PODMAN, "D-CDI-10", "may not be executed"),
    (every_gpu_is_passed_through, PODMAN, "D-CDI-13", "2 of 2 GPUs are bound to vfio-pci"),
    (ldconfig_that_is_nowhere, DOCKER, "D-LDCACHE-1", "is not there on this host"),
    (configuration_that_is_no_toml, DOCKER, "D-MODE-2", "not valid TOML"),
    (nothing_behind_the_bridge, DOCKER, "D-MODE-2", "no runtime stands behind the bridge"),
]


@pytest.mark.parametrize(("happen", "spec", "name", "words"), CASES, ids=lambda one: getattr(one, "__name__", ""))
def test_a_cause_is_told_as_what_it_is_and_first(tmp_path, happen, spec, name, words):
    root = str(tmp_path / "host")
    create.create(root, spec)
    happen(Machine(root, spec))
    report = run.examine(root, registry.all_rules()).report
    assert report.unanswered == ()
    told = [(one.id, one.severity, words in one.cause) for one in report.findings]
    assert told[:1] == [(name, "error", True)], [(one.id, one.severity, one.cause) for one in report.findings]
    assert [one for one in told if one[0] == name] == told[:1]


def test_the_edit_of_a_wrong_ldconfig_is_the_line_alone(tmp_path):
    root = str(tmp_path / "host")
    create.create(root, DOCKER)
    machine = Machine(root, DOCKER)
    ldcache._images_ldconfig(machine)
    before = machine.read(toolkit.CONFIG)
    (found,) = (one for one in run.examine(root, registry.all_rules()).report.findings if one.id == "D-LDCACHE-1")
    (edit,) = found.remedy.actions
    assert (edit.path, edit.was) == (toolkit.CONFIG, before)
    assert edit.text == before.replace('ldconfig = "/sbin/ldconfig"', 'ldconfig = "@/sbin/ldconfig"')


@pytest.mark.parametrize("name", ["D-CDI-2", "D-CDI-3", "D-CDI-4", "D-CDI-9", "D-CDI-10", "D-CDI-12"])
def test_a_spec_is_made_anew_in_its_own_place(tmp_path, name):
    host = failing.create_failing(str(tmp_path / "host"), name)
    (found,) = (one for one in run.examine(host.root, registry.all_rules()).report.findings if one.id == name)
    assert found.remedy.commands == (f"linkspan cdi refresh --output={PATH}",)
    assert found.remedy.actions == (RunProgram(argv=("linkspan", "cdi", "refresh", f"--output={PATH}")),)


def test_a_spec_beside_others_of_its_devices_is_left_to_its_owner(tmp_path):
    root = str(tmp_path / "host")
    create.create(root, PODMAN)
    machine = Machine(root, PODMAN)
    cdi._driver_updated(machine)
    other = {"name": "z", "containerEdits": {"deviceNodes": [{"path": "/dev/nvidia0"}]}}
    document = {"cdiVersion": "0.3.0", "kind": "nvidia.com/gpu", "devices": [other]}
    machine.write("/var/run/cdi/z.json", json.dumps(document))
    (found,) = (one for one in run.examine(root, registry.all_rules()).report.findings if one.id == "D-CDI-2")
    assert found.remedy.commands == ("rm /var/run/cdi/z.json", f"linkspan cdi refresh --output={PATH}")
    assert found.remedy.actions == ()


@pytest.mark.parametrize("indent", [None, 1])
def test_a_spec_of_management_containers_is_left_to_its_maker(tmp_path, indent):
    root = str(tmp_path / "host")
    create.create(root, PODMAN)
    machine = Machine(root, PODMAN)
    document = {"cdiVersion": "0.3.0", "kind": "management.nvidia.com/gpu"}
    empty = {**document, "devices": [{"name": "all", "containerEdits": {}}]}
    machine.write("/var/run/cdi/management.nvidia.com-gpu.yaml", json.dumps(empty, indent=indent))
    (found,) = (one for one in run.examine(root, registry.all_rules()).report.findings if one.id == "D-CDI-12")
    assert (found.remedy.commands, found.remedy.actions) == ((), ())
