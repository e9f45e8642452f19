"""Killed before and after every system call of an edit: the file is the old one or the new, and undo works."""

import contextlib
import itertools
import os
import posix
import signal

import pytest

from linkspan.engines import change
from linkspan.errors import KernelError
from tests.unit.engines import containerd_files, crio_files, docker_files
from tests.unit.engines.harness import Bench

CALLS = (
    "open", "write", "fsync", "fchmod", "fchown", "close", "rename", "unlink", "mkdir", "rmdir", "listdir", "stat",
)  # fmt: skip
"""What the code may call of the kernel; ``posix`` has them for kernel.files, ``os`` for everybody else."""

OLD = {
    "docker": docker_files.GOOD["kubeadm's"],
    "podman": None,
    "crio": crio_files.PACKAGED,
    "containerd": containerd_files.DUMPED,
    "k3s": None,
}
engines = pytest.mark.parametrize("engine", OLD)


def die_at(number, *, after):
    """Have this process killed at its so-and-so-many-th call."""
    counter = iter(range(1, 1 << 30))

    def counting(call):
        def counted(*args, **kwargs):
            mine = next(counter) == number
            if mine and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return call(*args, **kwargs)
            finally:
                if mine:
                    os.kill(os.getpid(), signal.SIGKILL)

        return counted

    for name in CALLS:
        wrapped = counting(getattr(posix, name))
        setattr(posix, name, wrapped)
        setattr(os, name, wrapped)


def survives(number, after, work):
    """Do the work in a child that is killed at this call; whether it came to its end."""
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            die_at(number, after=after)
            work()
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFEXITED(status)


def kill_everywhere(work, check, prepare):
    """Run ``check`` after a kill at each call, and return how many there were."""
    for number in range(1, 1000):
        for after in (False, True):
            prepare()
            done = survives(number, after, work)
            check()
            if done:
                return number - 1
    raise AssertionError("the work never came to its end")


def folder_of(bench):
    folder = os.path.dirname(bench.path)
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def reset(bench, old):
    if os.path.isdir(bench.host.state_folder):
        for name in os.listdir(bench.host.state_folder):
            os.unlink(f"{bench.host.state_folder}/{name}")
    if old is not None:
        bench.write(old)
    elif os.path.exists(bench.path):
        os.unlink(bench.path)


@engines
def test_killed_while_configuring(tmp_path, engine):
    bench, old = Bench(str(tmp_path), engine), OLD[engine]
    reset(bench, old)
    bench.configure(default=engine != "k3s")
    new, rest = bench.read(), folder_of(bench)

    def check():
        assert bench.read() in (old, new)
        if engine == "crio":  # which reads every file of its folder
            assert folder_of(bench) == rest
        bench.unconfigure()
        assert bench.read() == old
        assert [name for name in folder_of(bench) if name.startswith(".")] == []

    def check_forward():
        bench.configure(default=engine != "k3s")
        assert bench.read() == new
        assert folder_of(bench) == rest
        bench.unconfigure()
        assert bench.read() == old
        assert bench.kept() == []

    looks = itertools.cycle((check, check_forward))

    def look():
        next(looks)()

    calls = kill_everywhere(lambda: bench.configure(default=engine != "k3s"), look, lambda: reset(bench, old))
    assert calls > 15


@pytest.mark.parametrize("engine", ["docker", "podman", "k3s"])
def test_killed_while_unconfiguring(tmp_path, engine):
    bench, old = Bench(str(tmp_path), engine), OLD[engine]
    reset(bench, old)
    bench.configure()
    new = bench.read()

    def prepare():
        reset(bench, old)
        bench.configure()

    def check():
        assert bench.read() in (old, new)
        bench.unconfigure()
        assert bench.read() == old
        bench.configure()
        assert bench.read() == new
        bench.unconfigure()
        assert bench.read() == old
        assert bench.kept() == []

    assert kill_everywhere(bench.unconfigure, check, prepare) > 4


@pytest.mark.parametrize("engine", ["docker", "crio", "containerd"])
def test_killed_while_configuring_in_another_way(tmp_path, engine):
    bench, old = Bench(str(tmp_path), engine), OLD[engine]
    reset(bench, old)
    bench.configure()
    first = bench.read()
    bench.configure(default=True, name="other")
    second = bench.read()

    def prepare():
        reset(bench, old)
        bench.configure()

    def check():
        assert bench.read() in (first, second)
        bench.unconfigure()
        assert bench.read() == old

    assert kill_everywhere(lambda: bench.configure(default=True, name="other"), check, prepare) > 15


@pytest.mark.parametrize("engine", ["docker", "crio", "containerd"])
def test_killed_and_then_edited_by_hand(tmp_path, engine):
    bench, old = Bench(str(tmp_path), engine), OLD[engine]
    mark = " " if engine == "docker" else "# by hand\n"

    def check():
        bench.write(mark + bench.read())
        bench.unconfigure()
        assert bench.read() == mark + old

    reset(bench, old)
    kill_everywhere(bench.configure, check, lambda: reset(bench, old))


def fail_at(monkeypatch, name, number):
    counter = iter(range(1, 1 << 30))
    call = getattr(posix, name)

    def failing(*args, **kwargs):
        if next(counter) == number:
            raise OSError(5, "Input/output error")
        return call(*args, **kwargs)

    monkeypatch.setattr(posix, name, failing)
    monkeypatch.setattr(os, name, failing)


@pytest.mark.parametrize("name", ["write", "fsync", "rename", "open", "fchmod"])
def test_a_call_that_fails_leaves_a_state_that_can_be_undone(tmp_path, name):
    old = OLD["docker"]
    bench = Bench(str(tmp_path), "docker")
    failures = 0
    for number in range(1, 50):
        reset(bench, old)
        with pytest.MonkeyPatch.context() as patch:
            fail_at(patch, name, number)
            try:
                bench.configure()
            except KernelError as error:
                failures += 1
                assert "input/output error" in error.message.lower()
            else:
                break
        assert [left for left in folder_of(bench) if left.startswith(".")] == []
        bench.unconfigure()
        assert bench.read() == old
    assert failures > 1


def test_a_file_that_changed_in_the_meantime_is_left_alone(tmp_path):
    bench = Bench(str(tmp_path), "docker", OLD["docker"])
    plan = bench.plan()
    bench.write('{"debug": true}\n')
    with pytest.raises(change.ConfigError, match="changed in this moment"):
        change.carry_out(plan, bench.journal)
    assert bench.read() == '{"debug": true}\n'
    assert bench.kept() == []
