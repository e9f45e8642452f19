import os
import signal
import time

import pytest

from linkspan.errors import KernelError
from linkspan.kernel import process
from linkspan.kernel.process import run

pytestmark = pytest.mark.allow_subprocess

PATH = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def sh(script, timeout_s=10.0, **options):
    return run(["sh", "-c", script], env=PATH, timeout_s=timeout_s, **options)


def test_both_outputs_and_the_code_come_back():
    assert sh("echo out; echo err >&2; exit 3", check=False) == ("out\n", "err\n", 3)


def test_the_environment_is_exactly_the_one_given(monkeypatch):
    monkeypatch.setenv("LD_LIBRARY_PATH", "/somewhere")
    assert run(["env"], env={**PATH, "A": "1"}, timeout_s=10).stdout.splitlines() == [f"PATH={PATH['PATH']}", "A=1"]


def test_input_is_fed_and_without_it_the_standard_input_is_empty():
    assert sh("cat", input="héllo").stdout == "héllo"
    assert sh("cat").stdout == ""


def test_bytes_that_are_not_utf_8_are_replaced():
    assert sh(r"printf '\377x'").stdout == "\ufffdx"


def test_a_failure_says_the_program_the_code_and_its_last_words():
    with pytest.raises(KernelError, match=r"^sh failed with code 4: it broke$") as caught:
        sh("echo it broke >&2; exit 4")
    assert caught.value.subject == "sh"


def test_a_silent_failure_has_no_last_words():
    with pytest.raises(KernelError, match=r"^sh failed with code 1$"):
        sh("exit 1")


@pytest.mark.parametrize(("number", "name"), [("SEGV", "SIGSEGV"), ("40", "40")])
def test_a_signal_is_a_failure_even_when_codes_are_not_checked(number, name):
    with pytest.raises(KernelError, match=rf"^sh was ended by signal {name}$"):
        sh(f"ulimit -c 0; kill -{number} $$", check=False)


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(KernelError, match="cannot run /nowhere/at-all: No such file or directory"):
        run(["/nowhere/at-all"], env=PATH, timeout_s=1)


def test_a_program_that_takes_too_long_is_killed_with_its_children(tmp_path):
    before = time.monotonic()
    with pytest.raises(KernelError, match=r"sh did not end within 0\.3 seconds"):
        sh(f"sleep 60 & echo $! > {tmp_path}/pid; wait", timeout_s=0.3)
    assert time.monotonic() - before < 5
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while _is_running(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _is_running(child)


def test_a_child_that_outlives_its_parent_and_holds_the_pipe_is_killed_too():
    with pytest.raises(KernelError, match="did not end"):
        sh("sleep 60 & exit 0", timeout_s=0.3)


def _is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_no_descriptor_is_left_open():
    before = len(os.listdir("/proc/self/fd"))
    sh("true")
    with pytest.raises(KernelError):
        sh("sleep 60", timeout_s=0.1)
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_interruption_while_a_program_is_started_leaves_no_program_behind(monkeypatch):
    started = []
    start = process._start

    def start_and_be_interrupted(*args, **kwargs):
        started.append(start(*args, **kwargs))
        signal.raise_signal(signal.SIGINT)
        return started[0]

    monkeypatch.setattr(process, "_start", start_and_be_interrupted)
    with pytest.raises(KeyboardInterrupt):
        process.run(["/bin/sleep", "60"], env={}, timeout_s=30)
    assert started[0].returncode == -signal.SIGKILL
