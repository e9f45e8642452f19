"""What real dockerds keep of their containers, as the doctor reads it: the failed start, what was asked for, mounts."""

import pytest

from linkspan.check.containers import Container
from linkspan.check.daemons import Engine
from linkspan.check.docker_state import Record, records
from linkspan.check.eyes import Ledger, live
from linkspan.check.inside import Inside
from linkspan.check.processes import Processes
from tests.engines import images
from tests.engines.docker import DAEMON, Docker

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]

NAME = "for-the-doctor"
RULE = "c 195:* rwm"
ROOT = next(word for word in DAEMON if word.startswith("--data-root=")).partition("=")[2]


def kept(docker: Docker) -> list[Record]:
    """The records of a daemon, read below the root of its machine."""
    eyes = live(docker.host.machine.file("/"), Ledger())
    engine = Engine(kind="docker", title="Docker", process=None, config="", files=(), tree={"data-root": ROOT}, path="")
    return list(records(eyes, engine, Processes(eyes)))


def test_a_failed_start_is_kept_with_its_reason_and_what_was_asked_for(docker: Docker) -> None:
    docker.need_gpus()
    asked = ("--gpus=all", "-e", "NVIDIA_DRIVER_CAPABILITIES=compute", "-e", "SECRET=abc")
    try:
        assert docker("run", f"--name={NAME}", *asked, images.CUDA, "no-such-program").returncode != 0
        record = next(one for one in kept(docker) if one.name == f"/{NAME}")
    finally:
        docker("rm", "--force", NAME)
    assert 'exec: "no-such-program": executable file not found in $PATH' in record.error
    assert record.env["NVIDIA_DRIVER_CAPABILITIES"] == "compute"
    assert "SECRET" not in record.env
    assert [(one.count, one.capabilities) for one in record.requests] == [(-1, ("gpu",))]
    assert record.wants_gpus
    assert not record.running


def test_a_running_container_is_known_by_its_record_and_by_its_mounts(docker: Docker) -> None:
    with docker.container("--runtime=nvidia", "-e", "NVIDIA_VISIBLE_DEVICES=0", f"--device-cgroup-rule={RULE}") as name:
        found = docker.need("inspect", "--format={{.Id}}", name).strip()
        record = next(one for one in kept(docker) if one.id == found)
        eyes = live("/", Ledger())
        processes = Processes(eyes)
        first = next(one for one in processes.all.values() if processes.container_id(one.pid) == found)
        inside = Inside(Container(eyes, processes, first))
        assert inside.baked == ()
        assert inside.libcudas == {"550.163.01"}
    assert (record.running, record.runtime, record.device_rules) == (True, "nvidia", (RULE,))
