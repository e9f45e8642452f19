"""What we write for CRI-O, judged by CRI-O's own rules; and the judge, by what those rules forbid."""

import os

import pytest

from tests.unit.engines import crio_files
from tests.unit.engines.crio_rules import files, merged, problems, started
from tests.unit.engines.harness import PROGRAM, Bench

MAIN = '[crio.runtime]\ndefault_runtime = "crun"\n[crio.runtime.runtimes.crun]\nruntime_path = "/usr/bin/crun"\n'
LIBEXEC = "/usr/libexec/crio"
PROGRAMS = {"/usr/bin/crun", "/usr/bin/runc", PROGRAM, *(f"{LIBEXEC}/{name}" for name in ("crun", "runc", "conmon"))}
ENTRY = "[crio.runtime.runtimes.nvidia]\n"
OURS = f'{ENTRY}runtime_path = "{PROGRAM}"\n'

FORBIDDEN = {
    '[crio.runtime]\ndefault_runtime = "nvidia"\n': "default_runtime set to 'nvidia', but there is no such runtime",
    '[crio.runtime]\ncdi_spec_dirs = ["/etc/cdi", "cdi"]\n': "cdi_spec_dirs: 'cdi' is not absolute",
    '[crio.runtime]\ncdi_spec_dirs = "/etc/cdi"\n': "cdi_spec_dirs is no list of texts",
    '[crio.runtime]\nconmon = "/gone"\n': "crun: invalid conmon path /gone",
    '[crio.runtime]\nconmon_cgroup = "x"\n': "crun: monitor_cgroup x is not 'pod' or a slice",
    '[crio.runtime]\nconmon_cgroup = "a.slice"\ncgroup_manager = "cgroupfs"\n': "crun: monitor_cgroup a.slice is not",
    f'{ENTRY}runtime_path = "/gone"\n': "nvidia: invalid runtime_path /gone",
    f'{ENTRY}runtime_path = "usr/bin/crun"\n': "nvidia: runtime_path usr/bin/crun is not absolute",
    ENTRY: "nvidia: not found in $PATH",
    f'{OURS}runtime_type = "oci2"\n': "nvidia: invalid runtime_type 'oci2'",
    f'{OURS}runtime_type = "vm"\n': "nvidia: the program of a vm has to be named as",
    f'{OURS}runtime_config_path = "/etc/kata.toml"\n': "nvidia: runtime_config_path can only be used with",
    f'{OURS}monitor_path = "/gone"\n': "nvidia: invalid conmon path /gone",
    f'{OURS}monitor_cgroup = "here"\n': "nvidia: monitor_cgroup here is not 'pod' or a slice",
    f'{OURS}allowed_annotations = "x"\n': "nvidia: allowed_annotations is no list",
    f'{OURS}allowed_annotations = ["example.com/x"]\n': "nvidia: invalid allowed_annotation example.com/x",
    f'{OURS}no_sync_log = true\nruntime_type = "pod"\n': "nvidia: no_sync_log is for the runtime type oci",
    f"{OURS}stream_websockets = true\n": "nvidia: stream_websockets is for the runtime type pod",
    f"{OURS}inherit_default_runtime = 1\n": "nvidia: inherit_default_runtime is no truth value",
    f"{ENTRY}runtime_path = 1\n": "nvidia: runtime_path is no text",
    "[crio.runtime.runtimes]\nnvidia = 1\n": "nvidia: is no table",
}


@pytest.mark.parametrize("drop_in", FORBIDDEN)
def test_the_judge_finds_what_cri_o_refuses(drop_in):
    said = problems(merged([MAIN, drop_in]), PROGRAMS)
    assert any(problem.startswith(FORBIDDEN[drop_in]) for problem in said), said


@pytest.mark.parametrize("text", ["", OURS, f'{OURS}monitor_cgroup = "pod"\nruntime_type = "pod"\n', MAIN])
def test_the_judge_lets_pass_what_cri_o_starts_with(text):
    assert problems(merged([MAIN, text]), PROGRAMS) == []


def test_a_host_without_a_monitor_has_no_runtime():
    assert problems(merged([MAIN]), PROGRAMS, on_path=("crun",)) == ["crun: conmon not found in $PATH"]


def test_a_later_file_replaces_the_whole_table_of_a_runtime():
    later = '[crio.runtime.runtimes.crun]\nruntime_type = "oci"\n'
    assert merged([MAIN, later])["runtimes"]["crun"] == {"runtime_type": "oci"}
    assert merged([MAIN, later])["default_runtime"] == "crun"


def test_the_judge_knows_what_takes_the_place_of_a_program():
    inherits, of_platform = "inherit_default_runtime = true\n", 'platform_runtime_paths = { "linux/amd64" = "/a" }\n'
    assert started("nvidia", merged([MAIN, OURS])) == PROGRAM
    assert started("nvidia", merged([MAIN, OURS + inherits])) == "/usr/bin/crun"
    assert started("nvidia", merged([MAIN, OURS + of_platform])) == "/a"


def judged(texts, default):
    """The runtime that we wrote, found without fault, and what CRI-O goes by."""
    runtime = merged(texts)
    mine = {"runtimes": {"nvidia": runtime["runtimes"]["nvidia"]}}
    assert problems({**runtime, **mine, "default_runtime": "nvidia" if default else ""}, PROGRAMS) == []
    assert started("nvidia", runtime) == PROGRAM
    return runtime


@pytest.mark.parametrize("default", [False, True])
@pytest.mark.parametrize("name", crio_files.GOOD)
def test_what_we_write_into_any_file_is_what_cri_o_starts_with(tmp_path, name, default):
    before = crio_files.GOOD[name] or ""
    bench = Bench(str(tmp_path), "crio", before)
    bench.configure(default=default)
    runtime = judged([bench.read() or ""], default)
    assert set(problems(runtime, PROGRAMS)) <= set(problems(merged([before]), PROGRAMS))


@pytest.mark.parametrize("name", crio_files.NVIDIAS)
def test_an_entry_that_we_replace_is_one_that_cri_o_starts(tmp_path, name):
    bench = Bench(str(tmp_path), "crio", crio_files.NVIDIAS[name])
    bench.configure(replace=True)
    judged([bench.read() or ""], default=False)
    bench.unconfigure()
    assert bench.read() == crio_files.NVIDIAS[name]


VM = '[crio.runtime]\ndefault_runtime = "kata"\n[crio.runtime.runtimes.kata]\nruntime_path = "/k"\n'
NOT_OURS = {
    "a virtual machine's": f'{VM}runtime_type = "vm"\nruntime_config_path = "/etc/kata.toml"\n',
    "a pod monitor's": f'{VM}runtime_type = "pod"\nstream_websockets = true\n',
    "one that inherits": f"{VM}inherit_default_runtime = true\n",
    "one with programs of platforms": f'{VM}platform_runtime_paths = {{ "linux/amd64" = "/a" }}\n',
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_what_belongs_to_a_default_runtime_of_another_kind_is_not_taken_over(tmp_path, name):
    bench = Bench(str(tmp_path), "crio", NOT_OURS[name])
    bench.configure()
    assert judged([bench.read() or ""], default=False)["runtimes"]["nvidia"].keys() == {"runtime_path", "runtime_type"}


@pytest.mark.parametrize("name", NOT_OURS)
def test_an_entry_of_another_kind_is_made_one_that_starts_us(tmp_path, name):
    before = NOT_OURS[name].replace('"kata"', '"crun"').replace(".kata]", ".nvidia]")
    bench = Bench(str(tmp_path), "crio", before)
    bench.configure(replace=True)
    judged([bench.read() or ""], default=False)
    bench.unconfigure()
    assert bench.read() == before


@pytest.mark.parametrize("default", [False, True])
def test_our_drop_in_is_read_after_all_others(tmp_path, default):
    folder = tmp_path / "etc/crio"
    (folder / "crio.conf.d").mkdir(parents=True)
    (folder / "crio.conf").write_text(MAIN)
    (folder / "crio.conf.d/10-crio.conf").write_text(crio_files.PACKAGED)
    (folder / "crio.conf.d/99-nvidia.toml").write_text(crio_files.NVIDIAS["NVIDIA's drop-in"])
    bench = Bench(str(tmp_path), "crio")
    bench.configure(default=default, replace=True)
    assert files(str(folder))[-1] == bench.read()
    runtime = judged(files(str(folder)), default=True)
    assert problems(runtime, PROGRAMS) == []
    assert runtime["default_runtime"] == "nvidia"
    os.rename(bench.path, f"{folder}/crio.conf.d/98-early.conf")
    assert started("nvidia", merged(files(str(folder)))) == "/usr/bin/nvidia-container-runtime"
