import contextlib
import json

import msgspec
import pytest

from linkspan.cli import demo, main, output
from linkspan.demo.container import Runtime
from linkspan.demo.scenes import Injected, Library, Mount, Node, Result, Seen, scenes
from linkspan.demo.stage import Stage
from linkspan.errors import HostError
from linkspan.facts.model import Driver, Gpu, HostFacts

LIBCUDA = "/usr/lib/libcuda.so.550.163.01"
GPUS = tuple(
    Gpu(index=i, minor=i, uuid=f"GPU-{i}", name="NVIDIA H100", pci_bus_id=f"00000000:0{i}:00.0", path=f"/dev/nvidia{i}")
    for i in range(2)
)
STAGE = Stage(
    folder="/demo",
    facts=HostFacts(root="/demo/host", driver=Driver(version="550.163.01"), gpus=GPUS),
    simulated=True,
    runtime=Runtime(program="/demo/linkspan-runtime", state="/demo/runc", env={}),
    low_level="/usr/sbin/runc",
)


def mounts(*names):
    return tuple(Mount(source=f"/demo/host/usr/lib/{name}", destination=f"/usr/lib/{name}") for name in names)


FULL = Injected(
    devices=("/dev/nvidia0", "/dev/nvidiactl"),
    mounts=mounts("libcuda.so.550.163.01", "libnvcuvid.so.550.163.01"),
    env=(),
    hooks=0,
    links={"/usr/lib/libcuda.so": "libcuda.so.1", "/usr/lib/libcuda.so.1": "libcuda.so.550.163.01"},
    files=("/etc/ld.so.cache",),
)
SEEN = Seen(
    library=Library(path=LIBCUDA, device=(0, 1), inode=7, host_path=f"/demo/host{LIBCUDA}"),
    nodes=(Node(path="/dev/nvidia0", given=True, errno=6), Node(path="/dev/nvidia1", given=False, errno=1)),
    smi=("GPU 0: NVIDIA H100 (UUID: GPU-0)",),
)
GOOD = Result(scene=scenes([0, 1])[2], injected=FULL, seen=SEEN, problems=(), seconds=0.1)


@pytest.fixture
def results(monkeypatch):
    """What the containers will have shown; a test adds to it."""
    given = []

    @contextlib.contextmanager
    def stage(driver_root, *, simulate):
        yield STAGE

    monkeypatch.setattr(demo, "stage", stage)
    monkeypatch.setattr(demo, "play", lambda _: iter(given))
    return given


def test_a_good_result_is_a_page_that_says_it_all(results, capsys):
    results.append(GOOD)
    assert main.run(["demo"]) == output.OK
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    for line in (
        "A simulated host: 2 × NVIDIA H100, driver 550.163.01",
        "Containers are started by linkspan-runtime and runc, from a root filesystem that",
        "request       NVIDIA_VISIBLE_DEVICES=0",
        "devices       /dev/nvidia0 nvidiactl",
        "mounts        2 files of the host's driver, read-only",
        "links         2, such as libcuda.so → libcuda.so.1",
        "written       /etc/ld.so.cache",
        "hooks         none: the root filesystem was prepared beforehand",
        f"libcuda.so.1  {LIBCUDA}",
        "              the host's own file of that path, inode 7",
        "given         /dev/nvidia0: may be opened (ENXIO: no hardware behind it)",
        "not given     /dev/nvidia1, made by hand: refused (EPERM)",
        "  GPU 0: NVIDIA H100 (UUID: GPU-0)",
        "Every container saw the GPUs it asked for, and no other.",
    ):
        assert line in printed


def test_a_problem_is_shown_and_is_the_exit_code(results, capsys):
    results.append(msgspec.structs.replace(GOOD, problems=("nvidia-smi shows GPU 1",)))
    assert main.run(["demo"]) == output.FAILED
    printed = capsys.readouterr().out
    assert "✗ nvidia-smi shows GPU 1" in printed
    assert "1 of 1 containers are not as they have to be." in printed


def test_what_fewer_capabilities_spare_is_told_against_the_first_container(results, capsys):
    fewer = msgspec.structs.replace(FULL, mounts=FULL.mounts[:1])
    results += [GOOD, msgspec.structs.replace(GOOD, injected=fewer)]
    main.run(["demo"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "1 file of the host's driver, read-only; 1 fewer than in container 1: no libnvcuvid, …" in printed


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"library": Library(path="", error="cannot open shared object file")}, "cannot open shared object file"),
        (
            {"library": Library(path=LIBCUDA, inode=7, host_path="/opt/libcuda.so")},
            "the host's own /opt/libcuda.so, inode 7",
        ),
        ({"nodes": (Node(path="/dev/nvidia0", given=True, errno=0),)}, "/dev/nvidia0: opens"),
        ({"nodes": (Node(path="/dev/nvidia0", given=True, errno=5),)}, "/dev/nvidia0: fails (EIO)"),
        ({"nodes": (Node(path="/dev/nvidia0", given=True, errno=9999),)}, "/dev/nvidia0: fails (9999)"),
    ],
)
def test_each_thing_that_a_container_may_see_has_its_words(results, changes, text, capsys):
    results.append(msgspec.structs.replace(GOOD, seen=msgspec.structs.replace(SEEN, **changes)))
    main.run(["demo"])
    assert text in capsys.readouterr().out


def test_a_container_that_got_nothing_is_shown_as_that(results, capsys):
    nothing = Injected(devices=(), mounts=(), env=(), hooks=1, links={}, files=())
    results.append(msgspec.structs.replace(GOOD, injected=nothing))
    main.run(["demo"])
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert "devices       none" in printed
    assert "links         none" in printed
    assert "hooks         1" in printed


def test_json_holds_the_results_whole(results, capsys):
    results.append(GOOD)
    assert main.run(["demo", "--json"]) == output.OK
    document = json.loads(capsys.readouterr().out)
    assert document["simulated"] is True
    assert msgspec.convert(document["containers"], list[Result]) == [GOOD]


def test_a_stage_that_cannot_be_set_up_is_one_sentence(monkeypatch, capsys):
    @contextlib.contextmanager
    def stage(driver_root, *, simulate):
        raise HostError("no permission to start containers", hint="run it as root")
        yield

    monkeypatch.setattr(demo, "stage", stage)
    assert main.run(["demo"]) == output.FAILED
    assert capsys.readouterr().err == "linkspan: no permission to start containers\nhint: run it as root\n"
