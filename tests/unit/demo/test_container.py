import os

import pytest

from linkspan.demo.container import Container, Runtime
from linkspan.demo.play import _seen, _with_host_file
from linkspan.demo.scenes import Injected, Library, Mount
from linkspan.errors import HostError

INJECTED = Injected(devices=(), mounts=(), env=(), hooks=0, links={}, files=())


def container(tmp_path, runtime: str) -> Container:
    """A container of a runtime that is a shell script."""
    program = tmp_path / "runtime"
    program.write_text(f"#!/bin/sh\n{runtime}\n")
    program.chmod(0o755)
    return Container(
        Runtime(program=str(program), state="/state", env={"PATH": os.environ["PATH"]}), str(tmp_path), "x"
    )


@pytest.mark.allow_subprocess
@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("echo level=warning; echo no such thing >&2; exit 1", "no container can be started here: no such thing", ""),
        ("exit 1", "no container can be started here: the runtime gave no reason", ""),
        ("echo no cgroup mount; exit 1", "no container can be started here: no cgroup mount", "cgroups have to be"),
    ],
)
def test_a_runtime_that_refuses_is_quoted(tmp_path, words, message, hint):
    with pytest.raises(HostError) as caught, container(tmp_path, words).created():
        pass
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)


@pytest.mark.allow_subprocess
def test_a_container_is_deleted_whatever_happens(tmp_path):
    calls = tmp_path / "calls"
    with pytest.raises(ZeroDivisionError), container(tmp_path, f'echo "$3" "$4" >> {calls}').created():
        print(1 / 0)
    assert calls.read_text().splitlines() == ["create --bundle", "delete --force"]


def test_what_the_probe_printed_is_read_and_the_rest_is_nvidia_smis():
    seen = _seen('{"library": {"path": "/l", "device": [1, 2], "inode": 3}, "nodes": []}\nGPU 0: x\nGPU 1: y\n')
    assert seen.library == Library(path="/l", device=(1, 2), inode=3)
    assert seen.smi == ("GPU 0: x", "GPU 1: y")


@pytest.mark.parametrize("printed", ["", "exec failed\n", "{}\n", "[1]\n"])
def test_a_container_that_printed_something_else_did_not_run(printed):
    with pytest.raises(HostError, match="the container did not run as it should: "):
        _seen(printed)


def test_the_hosts_file_is_the_one_that_is_mounted_there_and_the_very_same(tmp_path):
    file = tmp_path / "libcuda"
    file.write_bytes(b"")
    status = file.stat()
    device = (os.major(status.st_dev), os.minor(status.st_dev))
    library = Library(path="/usr/lib/libcuda", device=device, inode=status.st_ino)
    mounted = Injected(
        devices=(),
        mounts=(Mount(source=str(file), destination="/usr/lib/libcuda"),),
        env=(),
        hooks=0,
        links={},
        files=(),
    )
    assert _with_host_file(library, mounted).host_path == str(file)
    other = Library(path="/usr/lib/libcuda", device=device, inode=status.st_ino + 1)
    assert _with_host_file(other, mounted).host_path == ""
    assert _with_host_file(library, INJECTED).host_path == ""
