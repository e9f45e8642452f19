import os

import pytest

from linkspan.explain import live, live_look
from linkspan.explain.live import Follower, Host, Step
from tests.unit.explain.startup import LIBRARIES, Start


@pytest.fixture
def start(tmp_path):
    return Start(tmp_path)


def states(step: Step) -> dict[str, str]:
    return {box.key: box.state for box in step.chain.boxes}


def details(step: Step) -> dict[str, str]:
    return {box.key: box.detail for box in step.chain.boxes}


def settle(start: Start, follower: Follower) -> Step:
    follower.step()
    start.now += live.SETTLED_S
    return follower.step()


def test_it_waits_while_nothing_starts(start):
    step = start.follower().step()
    assert step.phase == "waiting"
    assert step.chain.verdict == "No container has started yet."
    assert set(states(step).values()) == {"unknown", "holds"}
    assert step.since == {}


def test_a_process_with_mounts_of_its_own_alone_is_no_container(start):
    follower = start.follower()
    os.rename(f"{start.proc}/3", f"{start.proc}/9")
    assert follower.step().phase == "waiting"


def test_the_links_come_to_hold_one_after_the_other(start):
    follower = start.follower()
    follower.step()
    start.appear()
    assert follower.step().phase == "starting"
    start.now += 0.010
    start.mount(*LIBRARIES)
    step = follower.step()
    assert [states(step)[key] for key in ("libcuda", "driver", "nodes", "cache", "application")] == [
        *("holds", "holds", "unknown", "unknown", "unknown")
    ]
    start.now += 0.015
    start.change_root("nvidia0", "nvidiactl", "nvidia-uvm")
    step = follower.step()
    assert [states(step)[key] for key in ("nodes", "cache", "application")] == ["holds", "holds", "unknown"]
    start.now += 0.005
    start.run("/usr/bin/python3", "PATH=/bin", "NVIDIA_VISIBLE_DEVICES=0")
    step = settle(start, follower)
    assert step.phase == "running"
    assert (step.chain.works, step.chain.verdict) == (True, "The container has its GPUs.")
    milliseconds = {key: round(1000 * value) for key, value in step.since.items()}
    assert milliseconds == {"module": 0, "libcuda": 10, "driver": 10, "nodes": 25, "cache": 25, "application": 30}
    assert details(step)["nodes"] == "nvidia-uvm, nvidia0, nvidiactl"
    assert details(step)["application"] == "/usr/bin/python3"


def test_what_is_not_there_when_the_start_has_settled_is_broken(start):
    start.appear()
    follower = start.follower(pid=7)
    start.change_root(cache="libc.so.6")
    start.run("/bin/app", "NVIDIA_VISIBLE_DEVICES=all")
    assert states(follower.step())["libcuda"] == "unknown"
    step = settle(start, follower)
    assert [states(step)[key] for key in ("libcuda", "nodes", "cache")] == ["broken"] * 3
    assert step.chain.works is False
    assert step.chain.verdict == "The chain is broken: driver libraries."
    assert details(step)["cache"] == "does not name them"


@pytest.mark.parametrize("request_", [[], ["NVIDIA_VISIBLE_DEVICES=none"], ["NVIDIA_VISIBLE_DEVICES=void"]])
def test_a_container_that_asks_for_nothing_is_not_broken(start, request_):
    start.appear()
    follower = start.follower(pid=7)
    start.change_root(cache="libc.so.6")
    start.run("/bin/app", *request_)
    step = settle(start, follower)
    assert "broken" not in states(step).values()
    assert step.chain.works is None
    assert step.chain.verdict == "The container asked for no GPU and has none."


def test_a_container_that_ends_leaves_what_was_seen_of_it(start):
    start.appear()
    follower = start.follower(pid=7)
    start.mount(*LIBRARIES)
    follower.step()
    start.end()
    step = follower.step()
    assert step.phase == "ended"
    assert states(step)["libcuda"] == "holds"
    assert states(step)["nodes"] == "broken"


def test_a_host_without_a_driver_is_where_the_chain_breaks(start):
    step = start.follower(Host("", frozenset())).step()
    assert states(step)["module"] == "broken"
    assert step.chain.broken is not None
    assert step.chain.broken.detail == "none is loaded"


def test_the_hosts_own_mounts_are_not_taken_for_the_containers(start):
    line = "23 22 8:1 /x /usr/lib/libcuda.so.1 ro - ext4 /dev/sda1 rw\n"
    with open(f"{start.proc}/self/mountinfo", "a", encoding="utf-8") as file:
        file.write(line)
    start.appear()
    start.write("mountinfo", "22 1 0:30 / / rw - overlay overlay rw\n" + line)
    follower = start.follower(pid=7)
    assert states(follower.step())["libcuda"] == "unknown"
    start.change_root()  # from here on they are those of the container's own root
    assert states(follower.step())["libcuda"] == "holds"


@pytest.mark.parametrize(
    ("rules", "count"),
    [
        ("c 195:0 rw\nc 195:255 rw\nc 510:0 rwm\n", 3),
        ("c 1:3 rwm\nc *:* m\nb *:* m\n", 0),
        ("a *:* rwm\n", 1),
        ("c *:* rwm\n", 1),
        ("nonsense\n", 0),
    ],
)
def test_the_rules_of_a_device_cgroup_are_counted(start, tmp_path, rules, count):
    folder = f"{tmp_path}/cgroup/box"
    os.makedirs(folder)
    with open(f"{folder}/devices.list", "w", encoding="ascii") as file:
        file.write(rules)
    with open(f"{start.proc}/self/mountinfo", "a", encoding="utf-8") as file:
        file.write(f"30 22 0:40 / {tmp_path}/cgroup rw - cgroup cgroup rw,devices\n")
    start.appear()
    start.write("cgroup", "5:devices:/box\n0::/x\n")
    seen = live_look.look(7, start.proc, frozenset({195, 510}))
    assert seen is not None
    assert seen.rules == count


def test_rules_that_cannot_be_read_are_unknown_and_break_nothing(start):
    start.appear()
    follower = start.follower(pid=7)
    start.change_root("nvidia0")
    start.mount(*LIBRARIES, below="")
    start.run()
    step = settle(start, follower)
    assert states(step)["rules"] == "unknown"
    assert step.chain.works is True


@pytest.mark.parametrize("name", ["mountinfo", "ns/mnt"])
def test_a_process_that_ends_while_it_is_looked_at_is_no_error(start, name):
    follower = start.follower()
    start.appear()
    os.unlink(f"{start.proc}/7/{name}")
    assert follower.step().phase in {"waiting", "ended"}
    assert follower.step().phase in {"waiting", "ended"}


def test_the_rules_of_our_own_cgroup_are_not_the_containers(start, tmp_path):
    os.makedirs(f"{tmp_path}/cgroup")
    with open(f"{tmp_path}/cgroup/devices.list", "w", encoding="ascii") as file:
        file.write("a *:* rwm\n")
    with open(f"{start.proc}/self/mountinfo", "a", encoding="utf-8") as file:
        file.write(f"30 22 0:40 / {tmp_path}/cgroup rw - cgroup cgroup rw,devices\n")
    start.appear()
    for name in ("7", "self"):
        with open(f"{start.proc}/{name}/cgroup", "w", encoding="ascii") as file:
            file.write("5:devices:/\n")
    seen = live_look.look(7, start.proc, frozenset({195}))
    assert seen is not None
    assert seen.rules is None


@pytest.mark.parametrize(
    "program", ["/", "/ (deleted)", "/memfd:runc_cloned:/proc/self/exe (deleted)", "/usr/sbin/runc"]
)
def test_the_runtime_is_not_taken_for_the_application(start, program):
    start.appear()
    start.run(program)
    seen = live_look.look(7, start.proc, frozenset())
    assert seen is not None
    assert seen.program == ""


def test_a_container_that_is_named_is_waited_for_until_it_is_in_its_cgroup(start):
    follower = start.follower(within="3f8c1a")
    start.appear()
    assert follower.step().phase == "waiting"
    start.write("cgroup", "0::/system.slice/docker-3f8c1a99.scope\n")
    assert follower.step().phase == "starting"
