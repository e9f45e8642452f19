"""Hosts whose specs, loader caches and bridges look broken, and are not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linkspan.check import registry, run
from linkspan.sim import create, guests, toolkit
from linkspan.sim.failures import cdi, ldcache, mode
from linkspan.sim.guests import ALL_GPUS, kept_by_docker
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.processes import container_id, program
from linkspan.sim.spec import SimSpec
from linkspan.sim.spec_side import PATH

pytestmark = pytest.mark.allow_subprocess

DOCKER = SimSpec(gpus=2, engines=("docker",))
PODMAN = SimSpec(gpus=2, engines=("podman",))
BOTH = SimSpec(gpus=2, engines=("docker", "podman"))
FOREIGN = {"cdiVersion": "0.3.0", "kind": "intel.com/gpu", "devices": [{"name": "card0", "containerEdits": {}}]}


def _foreign(machine: Machine, path: str, **more: Any) -> None:
    machine.write(path, json.dumps({**FOREIGN, **more}))


def podman_with_the_hook_of_nvidias(machine: Machine) -> None:
    toolkit.install(machine)
    machine.remove(PATH)
    machine.write("/usr/share/containers/oci/hooks.d/oci-nvidia-hook.json", "{}\n")


def podman_that_only_stands_beside_docker(machine: Machine) -> None:
    ldcache.nvidias(machine)
    machine.remove(PATH)


def old_podman_that_only_stands_beside_docker(machine: Machine) -> None:
    ldcache.nvidias(machine)
    machine.replace("/var/lib/dpkg/status", "Version: 5.4.2+ds1-2", "Version: 3.4.4+ds1-1ubuntu1")


def spec_where_this_podman_looks(machine: Machine) -> None:
    machine.write("/srv/cdi/nvidia.json", machine.read(PATH))
    machine.write("/etc/containers/containers.conf", '[engine]\ncdi_spec_dirs = ["/srv/cdi"]\n')
    cdi._never_written(machine)


def one_spec_by_two_names(machine: Machine) -> None:
    machine.link("/etc/cdi/nvidia.json", PATH)


def devices_of_another_vendor_twice(machine: Machine) -> None:
    good = [{"name": "card0", "containerEdits": {"env": ["A=B"]}}]
    _foreign(machine, "/etc/cdi/intel.json", devices=good)
    _foreign(machine, "/etc/cdi/intel-old.json", devices=good)


def empty_device_of_another_vendor(machine: Machine) -> None:
    _foreign(machine, "/etc/cdi/intel.json")


def version_of_another_vendor(machine: Machine) -> None:
    edits = {"additionalGids": [44], "env": ["A=B"]}
    _foreign(machine, "/etc/cdi/intel.json", devices=[{"name": "card0", "containerEdits": edits}])


def link_that_failed_before_the_spec_was_made_anew(machine: Machine) -> None:
    cdi._store_is_mounted(machine)
    machine.touch(PATH, RECENTLY + 60)


def ldconfig_that_failed_for_the_bridge_of_before(machine: Machine) -> None:
    error = "nvidia-container-cli: ldcache error: process /sbin/ldconfig.real failed with error code: 1: unknown"
    kept_by_docker(machine, 5001, "train", error=error, requests=[ALL_GPUS])


def ubuntus_name_that_the_toolkit_understands(machine: Machine) -> None:
    ldcache.nvidias(machine)
    toolkit.configure(machine, '"@/sbin/ldconfig"', '"@/sbin/ldconfig.real"')


def ldconfig_behind_a_wrapper(machine: Machine) -> None:
    ldcache.nvidias(machine)
    machine.remove("/sbin/ldconfig")
    machine.put({"/sbin/ldconfig.real": program("ldconfig")})


def ldconfig_of_the_container_on_purpose(machine: Machine) -> None:
    ldcache.nvidias(machine)
    toolkit.configure(machine, '"@/sbin/ldconfig"', '"/sbin/ldconfig"')
    machine.append(toolkit.CONFIG, "[features]\nallow-ldconfig-from-container = true\n")


def cache_at_another_place(machine: Machine) -> None:
    cache = Path(machine.root, "etc/ld.so.cache").read_bytes()
    ldcache._no_cache(machine)
    machine.write("/opt/nvidia/ld.so.cache", cache)
    toolkit.configure(machine, '#ldcache = "/etc/ld.so.cache"', 'ldcache = "/opt/nvidia/ld.so.cache"')


def glibc_image_with_tools_for_musl(machine: Machine) -> None:
    files = {"/lib/ld-musl-x86_64.so.1": program("musl"), "/lib64/ld-linux-x86-64.so.2": program("glibc")}
    guests.gpu_container(machine, 5001, files=files)


def plex_that_was_told_the_folder(machine: Machine) -> None:
    mode._plex(machine)
    machine.append("/proc/4300/environ", f"LD_LIBRARY_PATH=/config/lib:{mode.DEBIANS}\0")


def plex_that_links_what_it_needs(machine: Machine) -> None:
    mode._plex(machine)
    root = f"/var/lib/sim-containers/{container_id(4300)}"
    machine.link(f"{root}/usr/local/lib/libcuda.so.1", f"{mode.DEBIANS}/libcuda.so.1")


def deaf_release_with_the_settings_of_its_package(machine: Machine) -> None:
    toolkit.install(machine, "1.14.0")
    toolkit.restore_daemon(
        machine,
        **{"exec-opts": ["native.cgroupdriver=cgroupfs"], "runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}},
    )
    toolkit.configure(machine, '"@/sbin/ldconfig"', '"@/sbin/ldconfig.real"')
    toolkit.configure(machine, '["runc", "crun"]', '["docker-runc", "runc"]')


def settings_that_nobody_reads_any_more(machine: Machine) -> None:
    machine.write(toolkit.CONFIG, "this = is no TOML\n")
    machine.remove("/usr/local/bin/*linkspan*", "/usr/local/bin/nvidia-*")
    machine.write("/etc/docker/daemon.json", "{}\n")


CASES: dict[Callable[[Machine], None], tuple[SimSpec, str]] = {
    podman_with_the_hook_of_nvidias: (PODMAN, "D-CDI-1"),
    podman_that_only_stands_beside_docker: (BOTH, "D-CDI-1"),
    old_podman_that_only_stands_beside_docker: (BOTH, "D-CDI-8"),
    spec_where_this_podman_looks: (PODMAN, "D-CDI-1"),
    one_spec_by_two_names: (PODMAN, "D-CDI-6"),
    devices_of_another_vendor_twice: (PODMAN, "D-CDI-6"),
    empty_device_of_another_vendor: (PODMAN, "D-CDI-12"),
    version_of_another_vendor: (PODMAN, "D-CDI-9"),
    link_that_failed_before_the_spec_was_made_anew: (DOCKER, "D-CDI-15"),
    ldconfig_that_failed_for_the_bridge_of_before: (DOCKER, "D-LDCACHE-2"),
    ubuntus_name_that_the_toolkit_understands: (DOCKER, "D-LDCACHE-1"),
    ldconfig_behind_a_wrapper: (DOCKER, "D-LDCACHE-6"),
    ldconfig_of_the_container_on_purpose: (DOCKER, "D-LDCACHE-1"),
    cache_at_another_place: (DOCKER, "D-LDCACHE-4"),
    glibc_image_with_tools_for_musl: (DOCKER, "D-MODE-1"),
    plex_that_was_told_the_folder: (DOCKER, "D-MODE-1"),
    plex_that_links_what_it_needs: (DOCKER, "D-MODE-1"),
    deaf_release_with_the_settings_of_its_package: (DOCKER, "D-MODE-3"),
    settings_that_nobody_reads_any_more: (DOCKER, "D-MODE-2"),
}


@pytest.mark.parametrize("happen", CASES, ids=lambda happen: happen.__name__)
def test_what_looks_broken_and_works_is_not_told(tmp_path, happen):
    spec, name = CASES[happen]
    root = str(tmp_path / "host")
    create.create(root, spec)
    happen(Machine(root, spec))
    report = run.examine(root, registry.all_rules()).report
    assert report.unanswered == ()
    assert [(one.id, one.cause) for one in report.findings if one.id == name] == []
