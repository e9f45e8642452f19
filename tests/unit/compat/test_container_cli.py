"""``nvidia-container-cli`` but for what it does to containers, which is tests/privileged/test_container_cli.py's."""

import re

import pytest

from linkspan.compat import cli_call, container_cli
from linkspan.facts import snapshot
from linkspan.facts.host import Search
from linkspan.sim import create as sim
from linkspan.sim.spec import SimSpec

pytestmark = pytest.mark.allow_subprocess  # NVML is asked in a process of its own

UUIDS = [f"GPU-01000100-0000-0000-0000-{index:012x}" for index in range(4)]


@pytest.fixture
def cli(capsys):
    """Runs the program: exit code, standard output, standard error."""

    def run(*argv):
        code = container_cli.run([str(word) for word in argv])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def host(cli, sim_host):
    """Runs it for the simulated host; the lines that it prints."""

    def run(*argv):
        code, out, err = cli("--root", sim_host, *argv)
        assert (code, err) == (0, "")
        return out.splitlines()

    return run


@pytest.fixture(scope="module")
def full_host(tmp_path_factory, sim_host):
    """The root of a host that has everything; its first GPU is cut into MIG devices."""
    root = f"{tmp_path_factory.mktemp('mig')}/root"
    more = {"compat32": True, "sockets": True, "imex_channels": 2}
    sim.create(root, SimSpec(gpus=2, driver="550.163.01", mig=("3g.40gb", "3g.40gb"), mig_on=(0,), **more))
    yield root
    sim.remove(root)


def test_the_version_has_the_seven_lines_that_scripts_read(cli):
    for flag in ("-V", "--version", "--vers"):
        code, out, _ = cli(flag)
        names = [line.partition(":")[0] for line in out.splitlines()]
        assert code == 0
        assert names == [
            "cli-version",
            "lib-version",
            *(f"build {x}" for x in ("date", "revision", "compiler", "platform", "flags")),
        ]
        assert re.match(r"cli-version: \d+\.\d+\.\d+\nlib-version: \d+\.\d+\.\d+\nbuild date: \d{4}-\d\d-\d\dT", out)


def test_info_tells_of_driver_and_gpus(host):
    lines = host("info")
    assert lines[:3] == ["NVRM version:   550.163.01", "CUDA version:   12.4", ""]
    assert lines[3:10] == [
        "Device Index:   0",
        "Device Minor:   0",
        "Model:          NVIDIA H100 80GB HBM3",
        "Brand:          Nvidia",
        f"GPU UUID:       {UUIDS[0]}",
        "Bus Location:   00000000:1a:00.0",
        "Architecture:   9.0",
    ]
    assert lines.count("") == 4


def test_info_as_csv_is_two_tables(host):
    lines = host("info", "--csv")
    assert lines[:4] == ["NVRM version,CUDA version", "550.163.01,12.4", "", lines[3]]
    assert lines[3] == "Device Index,Device Minor,Model,Brand,GPU UUID,Bus Location,Architecture"
    assert lines[4] == f"0,0,NVIDIA H100 80GB HBM3,Nvidia,{UUIDS[0]},00000000:1a:00.0,9.0"
    assert len(lines) == 8


def test_info_needs_nvml_and_says_what_it_lacks(cli, sim_host, monkeypatch):
    without = snapshot.collect(Search(root=sim_host, nvml=False))
    monkeypatch.setattr(snapshot, "collect", lambda _: without)
    code, out, err = cli("info")
    assert (code, out) == (1, "")
    assert err.startswith("nvidia-container-cli: initialization error: nvml error: it was not to be asked; ")


CONTROL = ["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset"]
SELECTED = {
    ("-d", "all"): [0, 1, 2, 3],
    ("-d", "ALL,77"): [0, 1, 2, 3],
    ("-d", "2,0"): [2, 0],
    ("-d2", "--device=,2,,0,"): [2, 0],
    ("--device", UUIDS[3].upper()): [3],
    ("--device", "0:1b:0.0"): [1],
    ("--device", "00000000:1B:00.0"): [1],
    ("--device", ""): [],
}


@pytest.mark.parametrize("argv", SELECTED, ids=" ".join)
def test_devices_are_named_in_every_way_that_the_toolkit_knows(host, argv):
    assert host("list", *argv) == [*CONTROL, *(f"/dev/nvidia{index}" for index in SELECTED[argv])]


@pytest.mark.parametrize("argv", [("-d", "7"), ("-d", "0,GPU-7"), ("--imex-channel", "3")], ids=" ".join)
def test_a_device_that_there_is_not_is_an_error_of_its_stage(cli, sim_host, argv):
    code, _, err = cli("--root", sim_host, "list", *argv)
    assert code == 1
    assert err.startswith("nvidia-container-cli: device error: ")
    assert (": unknown device; " in err) == ("-d" in argv)
    assert err.count("\n") == 1


def test_everything_is_listed_in_the_order_of_the_toolkit(host):
    lines = host("list")
    parts = [host("list", *option) for option in (["-d", "all"], ["-b"], ["-l", "--compat32"], ["-i"], ["-f"])]
    assert lines == [line for part in parts for line in part]
    assert all(line.startswith("/usr/bin/") for line in parts[1])
    assert "/usr/lib/x86_64-linux-gnu/libcuda.so.550.163.01" in parts[2]
    assert all(line.startswith("/lib/firmware/nvidia/550.163.01/") for line in parts[4])
    assert min(len(parts[1]), len(parts[2]), len(parts[4])) > 1


def test_32_bit_libraries_come_with_the_others_alone(cli, full_host):
    libraries, both, alone = (
        cli("--root", full_host, "list", *options)[1].splitlines()
        for options in (["-l"], ["-l", "--compat32"], ["--compat32"])
    )
    assert both[: len(libraries)] == libraries
    assert "/usr/lib/i386-linux-gnu/libcuda.so.550.163.01" in both[len(libraries) :]
    assert alone == []


def test_sockets_and_channels_are_listed(cli, full_host):
    sockets = cli("--root", full_host, "list", "--ipcs")[1].splitlines()
    assert any(line.endswith("/nvidia-persistenced/socket") for line in sockets)
    fewer = cli("--root", full_host, "list", "--ipcs", "--no-persistenced")[1].splitlines()
    assert fewer == [line for line in sockets if "/nvidia-persistenced/" not in line]
    channels = cli("--root", full_host, "list", "--imex-channel=1,0")[1].splitlines()
    assert channels == [f"/dev/nvidia-caps-imex-channels/channel{number}" for number in (1, 0)]


def test_what_an_option_excludes_is_not_listed(host):
    assert host("list", "-b", "-f", "--no-gsp-firmware") == host("list", "-b")


def test_a_mig_device_is_listed_with_its_gpu_and_what_opens_it(cli, full_host):
    code, out, _ = cli("--root", full_host, "list", "-d", "0:1")
    lines = out.splitlines()
    assert code == 0
    assert lines[4] == "/dev/nvidia0"
    assert re.fullmatch(r"/proc/driver/nvidia/capabilities/gpu0/mig/gi\d+/access", lines[5])
    assert re.fullmatch(r"/proc/driver/nvidia/capabilities/gpu0/mig/gi\d+/ci\d+/access", lines[7])
    assert all(re.fullmatch(r"/dev/nvidia-caps/nvidia-cap\d+", lines[at]) for at in (6, 8))
    assert len(lines) == 9


def test_mig_as_a_whole_is_opened_for_all_gpus_only(cli, full_host):
    opened = cli("--root", full_host, "list", "--mig-config=all")[1].splitlines()
    assert opened[0] == "/proc/driver/nvidia/capabilities/mig/config"
    assert opened[1:] and all(line.startswith("/dev/nvidia-caps/nvidia-cap") for line in opened[1:])
    for argv, problem in ((["--mig-config=0"], "'0': unknown device"), (["--mig-config=all", "-d0:1"], "beside MIG")):
        code, _, err = cli("--root", full_host, "list", *argv)
        assert code == 1
        assert err.startswith("nvidia-container-cli: mig-config error: ")
        assert problem in err


REFUSED = {
    (): ("a command is missing", True),
    ("lisst",): ("unknown command 'lisst'", True),
    ("info", "x"): ("'info' takes no argument", True),
    ("configure",): ("one ROOTFS is needed", True),
    ("--rooot=/",): ("unrecognized option", True),
    ("configure", "/"): ("input error: ROOTFS is '/'", False),
    ("configure", "/.."): ("input error: ROOTFS is '/..'", False),
    ("configure", "x/y"): ("input error: ROOTFS is 'x/y'", False),
    ("configure", "-r", "cuda", "/x"): ("requirement error: --require=cuda has a malformed part", False),
    ("configure", "-r", "cuda>=99", "/x"): ("requirement error: unsatisfied condition: cuda>=99 (", False),
    ("configure", "-d", "9", "/x"): ("device error: 9: unknown device; ", False),
    ("configure", "-d0", "--mig-monitor=1", "/x"): ("mig-monitor error: '1': unknown device; ", False),
    ("configure", "--cuda-compat-mode=x", "/x"): ("input error: --cuda-compat-mode is 'x'; ", False),
    ("configure", "--cuda-compat-mode=mount", "--cuda-compat-mode=ldconfig", "/x"): ("input error: --cuda-c", False),
    ("configure", "-d0", "--pid=x", "/x"): ("input error: --pid is 'x'", False),
    ("configure", "-d0", "--pid=999999999", "/x"): ("container error: the container's process 999999999 is", False),
    ("configure", "-d0", "/nonexistent"): ("container error: cannot find the container's root /nonexistent", False),
    ("--debug=/nonexistent/log", "info"): ("input error: /nonexistent/log: No such file", False),
    ("--ldcache=/nonexistent", "info"): ("initialization error: cannot read the loader cache /nonexistent", False),
}


@pytest.mark.parametrize("argv", REFUSED, ids=" ".join)
def test_what_cannot_be_done_is_told_by_its_stage_in_one_line(cli, sim_host, argv):
    said, is_usage = REFUSED[argv]
    code, out, err = cli("--root", sim_host, *argv)
    assert (code, out) == (1, "")
    assert err.startswith(f"nvidia-container-cli: {said}")
    assert err.endswith("--help' for more information.\n") == is_usage
    assert err.count("\n") == 1 + is_usage


def test_a_host_without_a_driver_is_told_at_once(cli, tmp_path):
    code, _, err = cli("--root", tmp_path, "info")
    assert code == 1
    assert err.startswith("nvidia-container-cli: initialization error: no NVIDIA driver was found below ")


@pytest.mark.parametrize("argv", [("--help",), ("-?",), ("list", "--help"), ("configure", "--usage")], ids=" ".join)
def test_help_is_an_answer(cli, argv):
    code, out, err = cli(*argv)
    assert (code, err) == (0, "")
    assert out.startswith("Usage: nvidia-container-cli ")


def test_the_log_says_what_was_asked_for_and_why_it_failed(cli, sim_host, tmp_path):
    cli("--root", sim_host, f"--debug={tmp_path}/log", "list", "--device", "9")
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0].endswith("nvidia-container-cli list: --device 9")
    assert ": unknown device; " in lines[-1]


def test_modules_that_cannot_be_loaded_are_a_line_in_the_log_and_no_error(cli, sim_host, tmp_path):
    code, _, err = cli("--root", sim_host, "--load-kmods", f"--debug={tmp_path}/log", "list", "-d", "0")
    assert (code, err) == (0, "")
    assert "could not load the kernel modules: " in (tmp_path / "log").read_text()


def test_facts_are_kept_where_there_is_a_folder_for_them(sim_host, tmp_path, monkeypatch, capsys):
    for _ in range(2):
        assert container_cli.run(["--root", sim_host, "list", "-d", "0"], str(tmp_path / "state")) == 0
        monkeypatch.setattr(cli_call.snapshot, "collect", None)
    first, second = capsys.readouterr().out.split("/dev/nvidiactl")[1:]
    assert first == second
    assert "/dev/nvidia0\n" in first


def test_a_loader_cache_says_where_to_look(cli, sim_host):
    assert cli("--root", sim_host, "--ldcache=/etc/ld.so.cache", "list", "-l") == cli("--root", sim_host, "list", "-l")
