"""``linkspan image`` as a program of its own: at terminals of any width, in pipes, interrupted, on a full disk."""

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from tests.unit.image import writer

PROGRAM = [sys.executable, "-m", "linkspan", "image"]
WAIT_S = 60
PLAIN = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
COLOURS = re.compile(r"\x1b\[[0-9;]*3[0-9]m|\x1b\[[0-9;]*9[0-9]m")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A saved image with a part of the driver in it."""
    layer = writer.layer({"usr/lib/libcuda.so.550.54.15": b"\x7fELF" + bytes(99)}, command="COPY . /")
    return writer.write_archive(str(tmp_path_factory.mktemp("image") / "app.tar"), writer.saved([layer]))


@pytest.fixture
def env(tmp_path):
    (tmp_path / "tmp").mkdir()
    known = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path / "tmp"), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    return {"PATH": os.environ["PATH"]} | known


def at_terminal(argv, env, columns, begun=None):
    """Run a command at a terminal of its own; the exit code and all that it showed. It is interrupted once begun."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        [*PROGRAM, *argv], stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
    ) as started:
        os.close(slave)
        if begun:
            begun.wait(WAIT_S)
            time.sleep(0.3)  # whatever it does first
            started.send_signal(signal.SIGINT)
        shown = b""
        with contextlib.suppress(OSError):  # a terminal that nobody has open any more ends with EIO
            while part := os.read(master, 65536):
                shown += part
        code = started.wait(WAIT_S)
    os.close(master)
    return code, shown.decode().replace("\r\n", "\n")


def run(argv, env, **more):
    return called([*PROGRAM, *argv], env, **more)


def in_shell(line, env):
    """What a line of bash does."""
    return called(["bash", "-c", line], env)


def called(argv, env, stdout=subprocess.PIPE, **more):
    return subprocess.run(
        argv, env=env, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=WAIT_S, check=False, **more
    )


@pytest.mark.parametrize("columns", [60, 200])
def test_prose_folds_at_the_width_of_the_terminal_and_what_is_copied_does_not(saved, env, columns):
    code, shown = at_terminal(["check", saved], env, columns)
    plain = PLAIN.sub("", shown)
    assert code == 1
    exact = ("  fix", "  files", "  layer", "image")
    assert [line for line in plain.splitlines() if len(line) > columns and not line.startswith(exact)] == []
    assert "It comes from" not in plain


def test_colours_are_for_terminals_whose_owner_wants_them(saved, env):
    assert COLOURS.search(at_terminal(["check", saved], env, 80)[1])
    assert not COLOURS.search(at_terminal(["check", saved], env | {"NO_COLOR": "1"}, 80)[1])
    assert "\x1b" not in run(["check", saved], env).stdout


@pytest.fixture
def slow_docker(tmp_path):
    """The address of a Docker that sends the beginning of an image and then thinks; what tells that it has begun."""
    begun, over = threading.Event(), threading.Event()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "docker.sock"))
    listening.listen()
    listening.settimeout(WAIT_S)

    def answer():
        with listening, listening.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + bytes(3 << 20))
            begun.set()
            over.wait(WAIT_S)

    thread = threading.Thread(target=answer)
    thread.start()
    yield f"unix://{tmp_path}/docker.sock", begun
    over.set()
    thread.join()


@pytest.mark.parametrize("command", ["check", "advise"])
def test_an_interruption_ends_it_with_one_line_and_leaves_nothing(slow_docker, env, command, tmp_path):
    address, begun = slow_docker
    code, shown = at_terminal([command, "docker-daemon:app"], env | {"DOCKER_HOST": address}, 80, begun)
    assert code == 130
    assert PLAIN.sub("", shown).splitlines()[-1] == "linkspan: interrupted"
    assert "Traceback" not in shown
    assert os.listdir(tmp_path / "tmp") == []
    assert [name for _, _, names in os.walk(tmp_path / ".cache") for name in names] == []


class Stub(NamedTuple):
    """A file that a program of ours writes once it has begun; ``wait`` waits for it."""

    path: str

    def wait(self, timeout):
        deadline = time.monotonic() + timeout
        while not os.path.exists(self.path) and time.monotonic() < deadline:
            time.sleep(0.02)


def test_an_interruption_ends_the_program_that_exports_too(env, tmp_path):
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin/podman"
    stub.write_text(
        f"#!/bin/sh\nfor one; do case $one in --output=*) echo x >${{one#--output=}} ;; esac; done\n"
        f"echo $$ >{tmp_path}/pid.new && mv {tmp_path}/pid.new {tmp_path}/pid\nexec sleep 60\n"
    )
    stub.chmod(0o755)
    path = f"{tmp_path}/bin:{env['PATH']}"
    code, shown = at_terminal(["check", "podman:app"], env | {"PATH": path}, 80, Stub(f"{tmp_path}/pid"))
    assert (code, PLAIN.sub("", shown)) == (130, "linkspan: interrupted\n")
    assert os.listdir(tmp_path / "tmp") == []
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}")


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.05, 0.1, 0.15])
def test_an_interruption_while_it_begins_shows_no_traceback(saved, env, after_s):
    started = subprocess.Popen(
        [*PROGRAM, "check", saved], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with started:
        # First the interpreter hears SIGINT, then nobody does: from there on modules are loaded.
        for wanted in (True, False):
            deadline = time.monotonic() + WAIT_S
            while _hears(started.pid) is not wanted and time.monotonic() < deadline:
                pass
        time.sleep(after_s)
        started.send_signal(signal.SIGINT)
        said = started.communicate(timeout=WAIT_S)[1]
    assert started.returncode in (-signal.SIGINT, 130, 1)
    assert "Traceback" not in said


def _hears(pid):
    """Whether the interpreter is up: it then catches SIGINT, the second bit of the caught signals."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        caught = re.search(r"^SigCgt:\s*(\w+)", file.read(), re.MULTILINE)
    return bool(caught and int(caught[1], 16) & 0b10)


@pytest.mark.parametrize("argv", [["check", "{}"], ["check", "{}", "--json"], ["advise", "{}"]])
def test_a_reader_that_has_seen_enough_is_no_accident(saved, env, argv):
    words = " ".join(one.format(saved) for one in argv)
    done = in_shell(f"{' '.join(PROGRAM)} {words} | head -c 1; exit ${{PIPESTATUS[0]}}", env)
    assert done.stderr == ""
    assert len(done.stdout) == 1


@pytest.mark.parametrize("options", [[], ["--json"], ["--github"], ["--sarif", "-"]])
def test_a_full_disk_is_told_where_the_answer_goes_to(saved, env, options):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = run(["check", saved, *options], env, stdout=full)
    assert done.returncode == 3
    assert done.stderr == "linkspan: no space left on device\n"


def test_without_a_standard_output_the_exit_code_is_the_answer(saved, env):
    done = in_shell(f"{' '.join(PROGRAM)} check {saved} >&-", env)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.privileged
def test_a_full_disk_for_the_cache_does_not_matter(saved, env, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", small], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with contextlib.suppress(OSError), open(small / "fill", "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        done = run(["check", saved], env | {"XDG_CACHE_HOME": str(small)})
        left = [name for _, _, names in os.walk(small) for name in names]
    finally:
        subprocess.run(["umount", small], check=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert left == ["fill"]


@pytest.mark.parametrize(
    "argv", [["check", "{}", "--json"], ["advise", "{}", "--json"], ["check", "{}", "--sarif", "-"]]
)
def test_json_is_json_and_nothing_else(saved, env, argv):
    done = run([one.format(saved) for one in argv], env)
    assert isinstance(json.loads(done.stdout), dict)
    assert done.stderr == ""


def nobody(argv, env):
    """Run as somebody who may read nothing but what is open to all."""
    if os.geteuid():
        return run(argv, env)
    return run(argv, env, preexec_fn=_drop)


def _drop():
    # Root without the right to override permissions: the interpreter itself may lie where only root can go.
    import ctypes

    cap_dac_override, cap_dac_read_search, pr_capbset_drop = 1, 2, 24
    libc = ctypes.CDLL(None)
    for cap in (cap_dac_override, cap_dac_read_search):
        libc.prctl(pr_capbset_drop, cap, 0, 0, 0)


@pytest.fixture
def closed(tmp_path):
    """A root file system, a part of which others cannot read."""
    if os.geteuid():
        pytest.skip("only root can make folders of others")
    for name in ("root/usr/lib", "root/theirs"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "root/usr/lib/x").write_text("x")
    (tmp_path / "root/theirs/x").write_text("x")
    (tmp_path / "root/theirs").chmod(0o700)
    os.chown(tmp_path / "root/theirs", 12345, 12345)
    return tmp_path / "root"


def test_what_could_not_be_read_is_not_called_clean(closed, env):
    done = nobody(["check", str(closed)], env)
    assert "'/theirs': the folder cannot be read" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("clean, as far as it could be read")
    assert nobody(["check", str(closed / "theirs")], env).returncode == 3
    assert "theirs: permission denied" in nobody(["check", str(closed / "theirs")], env).stderr


def test_a_project_that_cannot_be_read_is_not_called_empty(closed, env):
    done = nobody(["init", str(closed / "theirs")], env)
    assert done.returncode == 3
    assert "permission denied" in done.stderr


@pytest.mark.parametrize("options", [[], ["--json"], ["--sarif", "-"], ["--code-quality", "-"], ["--github"]])
def test_a_locale_that_knows_no_utf_8_gets_the_answer_all_the_same(saved, env, options):
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run(["check", saved, *options], env | ascii_only)
    assert (done.returncode, done.stderr) == (1, "")
    if options and options != ["--github"]:
        assert json.loads(done.stdout) == json.loads(run(["check", saved, *options], env).stdout)


def test_junit_can_be_read_whatever_the_locale_was(saved, env, tmp_path):
    done = run(["check", saved, "--junit", str(tmp_path / "cases.xml")], env | {"LC_ALL": "C", "LANG": "C"})
    assert done.returncode == 1
    assert ElementTree.parse(tmp_path / "cases.xml").getroot().get("failures") == "1"


@pytest.mark.parametrize("command", ["fix", "check"])
@pytest.mark.parametrize(
    "options", [[], ["--json"], ["--sarif", "-"], ["--code-quality", "-"], ["--junit", "-"], ["--github"]]
)
def test_a_name_that_is_no_text_is_written_out(command, options, env, tmp_path):
    path = os.fsdecode(bytes(tmp_path) + b"/\xff.dockerfile")
    with open(path, "w", encoding="ascii") as file:
        file.write("FROM debian:12.5\nRUN apt-get install -y nvidia-driver-535\nUSER 1\n")
    done = run([command, path, *options], env, cwd=tmp_path)
    assert done.returncode == 1
    assert "a bug" not in done.stderr
    assert "ff.dockerfile" in done.stdout
    if options and options[0] in ("--json", "--sarif", "--code-quality"):
        assert "\\udc" not in done.stdout
        json.loads(done.stdout)
