"""``systemctl daemon-reload`` under running containers, on machines whose first process is systemd.

Docker hands its containers to systemd there (``native.cgroupdriver=systemd``), which applies its own device rules anew
at every reload.
"""

import os
import time
from collections.abc import Iterator

import pytest

from tests.debian import UnavailableError
from tests.engines import docker, gpu, inside
from tests.engines.docker import Docker
from tests.engines.machine import PYTHON, Machine

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines"), pytest.mark.each_cgroup]

TRANSIENT = "/run/systemd/transient"
BOOT_S = 20.0
ASKED = (0, 2)
HOOK = ('--gpus="device=0,2"',)
DECLARED = {
    "runtime": ("--runtime=nvidia", "--env=NVIDIA_VISIBLE_DEVICES=0,2"),
    "CDI": ("--device=nvidia.com/gpu=0", "--device=nvidia.com/gpu=2"),
}


@pytest.fixture(scope="module", name="docker")
def docker_of_systemd(request: pytest.FixtureRequest, driver_root: str) -> Iterator[Docker]:
    """A Docker whose containers are systemd's scopes."""
    version, cgroup = request.param
    release = docker.RELEASES[version]
    if cgroup == "v1" and release != "bookworm":
        raise UnavailableError("the systemd of Debian 13 and later does not start with cgroups of version 1")
    with gpu.boot(release, driver_root, cgroup, init="systemd") as host:
        wait_for_systemd(host.machine)
        host.generate_cdi()
        settings = {"exec-opts": ["native.cgroupdriver=systemd"], "features": {"cdi": True}}
        with docker.running(host, **settings) as daemon:
            yield daemon


def wait_for_systemd(machine: Machine) -> None:
    end = time.monotonic() + BOOT_S
    while machine.run("systemctl", "is-system-running").stdout.strip() not in ("running", "degraded"):
        if time.monotonic() > end:
            raise UnavailableError(f"systemd does not get up in {BOOT_S:.0f} s on a machine made of namespaces")
        time.sleep(0.05)


def reload(machine: Machine) -> None:
    machine.need("systemctl", "daemon-reload")
    machine.need("systemctl", "show", "--property=Version")  # answered once all that was reloaded is applied


def need_harm(daemon: Docker) -> None:
    if daemon.host.release != "bookworm":
        raise UnavailableError("the systemd of Debian 13 and later takes nothing away from a scope by a reload")


def transient(machine: Machine) -> set[str]:
    """The files of transient scopes, and the folders of their drop-ins."""
    top = machine.file(TRANSIENT)
    found = [os.path.join(folder, name) for folder, folders, files in os.walk(top) for name in (*folders, *files)]
    return {path.removeprefix(top) for path in found if ".scope" in path}


def drop_ins(machine: Machine) -> list[str]:
    return [path for path in transient(machine) if path.endswith("/50-linkspan.conf")]


def opened(daemon: Docker, name: str) -> dict[str, str]:
    return inside.answers(daemon.need("exec", name, *inside.open_nodes()))


def test_devices_of_gpus_outlive_a_reload_and_no_others_come(docker: Docker) -> None:
    docker.need_gpus()
    for _ in range(2):  # the first start is Python's, the second one the launcher's
        with docker.container(*HOOK) as name:
            assert opened(docker, name) == inside.only_minors(ASKED)
            for _ in range(2):
                reload(docker.host.machine)
                assert opened(docker, name) == inside.only_minors(ASKED)
            assert inside.sees(docker.need("exec", name, *inside.LIST_GPUS), ASKED)


def test_without_the_drop_in_a_reload_takes_them_away(docker: Docker) -> None:
    """What all this is against; it shows that the machine's systemd does what it does elsewhere."""
    docker.need_gpus()
    need_harm(docker)
    with docker.container(*HOOK) as name:
        for path in drop_ins(docker.host.machine):
            os.unlink(docker.host.machine.file(TRANSIENT + path))
        reload(docker.host.machine)
        assert opened(docker, name) == inside.only_minors(())


def test_they_outlive_it_in_a_container_that_is_started_again(docker: Docker) -> None:
    docker.need_gpus()
    with docker.container(*HOOK) as name:
        for _ in range(2):
            docker.need("restart", "--time=0", name)
            reload(docker.host.machine)
            assert opened(docker, name) == inside.only_minors(ASKED)


def test_a_privileged_container_may_open_everything_after_it_too(docker: Docker) -> None:
    docker.need_gpus()
    docker.need_privileged()
    with docker.container("--gpus=device=0", "--privileged") as name:
        reload(docker.host.machine)
        assert opened(docker, name) == inside.only_minors(range(8))
        assert drop_ins(docker.host.machine) == []


def test_nothing_is_left_of_containers_that_are_gone(docker: Docker) -> None:
    """systemd removes a drop-in that it has read with its unit; the next hook removes the others."""
    docker.need_gpus()
    machine = docker.host.machine
    docker.run(*HOOK, command=("true",))
    with docker.container(*HOOK):
        assert len(drop_ins(machine)) == 1
        reload(machine)
    assert drop_ins(machine) == []
    docker.run(*HOOK, command=("true",))
    machine.need(PYTHON, "-c", "from linkspan.kernel import scope; scope.prune()")
    assert transient(machine) == set()


@pytest.mark.parametrize("way", DECLARED)
def test_devices_that_are_declared_outlive_it_where_they_have_links_by_number(docker: Docker, way: str) -> None:
    """runc names them to systemd by /dev/char/MAJOR:MINOR, and leaves out those that this does not lead to."""
    if way == "CDI":
        docker.need_cdi()
    machine = docker.host.machine
    where = ("--driver-root", docker.host.toolkit.driver_root, "--dev-root", "/", "--output", "/tmp/nvidia.yaml")
    machine.need(PYTHON, "-m", "linkspan", "cdi", "refresh", *where)
    try:
        with docker.container(*DECLARED[way]) as name:
            reload(machine)
            assert opened(docker, name) == inside.only_minors(ASKED)
    finally:
        machine.need("rm", "-r", "/dev/char")
    need_harm(docker)
    with docker.container(*DECLARED[way]) as name:
        reload(machine)
        assert opened(docker, name) == inside.only_minors(())
