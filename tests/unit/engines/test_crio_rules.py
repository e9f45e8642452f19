"""What we write for CRI-O, judged by CRI-O's own rules; and the judge, by what those rules forbid."""

import pytest

from linkspan.engines.places import DROP_IN
from tests.unit.engines import crio_files
from tests.unit.engines.crio_rules import in_force, merged, problems, program
from tests.unit.engines.harness import PROGRAM, Bench

MAIN = '[crio.runtime]\ndefault_runtime = "crun"\n[crio.runtime.runtimes.crun]\nruntime_path = "/usr/bin/crun"\n'
CONMON = "/usr/libexec/crio/conmon"
PROGRAMS = {"/usr/bin/crun", "/usr/bin/runc", PROGRAM, CONMON}
ENTRY = "[crio.runtime.runtimes.nvidia]\n"

FORBIDDEN = {
    '[crio.runtime]\ndefault_runtime = "nvidia"\n': "default_runtime set to 'nvidia', but there is no such runtime",
    f'{ENTRY}runtime_path = "/gone"\n': "nvidia: invalid runtime_path /gone",
    ENTRY: "nvidia: not found in $PATH",
    f'{ENTRY}runtime_path = "{PROGRAM}"\nruntime_type = "oci2"\n': "nvidia: invalid runtime_type 'oci2'",
    f'{ENTRY}runtime_path = "{PROGRAM}"\nruntime_type = "vm"\n': "nvidia: the program of a vm has to be named as",
    f"{ENTRY}runtime_path = 1\n": "nvidia: runtime_path is no text",
    f'{ENTRY}runtime_path = "{PROGRAM}"\nallowed_annotations = "x"\n': "nvidia: allowed_annotations is no list",
    "[crio.runtime.runtimes]\nnvidia = 1\n": "nvidia: is no table",
    f'{ENTRY}runtime_path = "bin/nvidia"\n': "nvidia: runtime_path bin/nvidia is not absolute",
    f'{ENTRY}runtime_path = "{PROGRAM}"\nallowed_annotations = ["x"]\n': "nvidia: invalid allowed_annotation x",
    f'{ENTRY}runtime_path = "{PROGRAM}"\nmonitor_path = "/gone"\n': "nvidia: invalid conmon path /gone",
    f'{ENTRY}runtime_path = "{PROGRAM}"\nmonitor_cgroup = "x"\n': "nvidia: conmon cgroup should be",
    f'{ENTRY}runtime_path = "{PROGRAM}"\nruntime_config_path = "/x"\n': "nvidia: runtime_config_path is for",
    f'{ENTRY}runtime_path = "{PROGRAM}"\nstream_websockets = true\n': "nvidia: stream_websockets is for",
    f'{ENTRY}runtime_path = "{PROGRAM}"\nruntime_type = "pod"\nno_sync_log = true\n': "nvidia: no_sync_log is for",
    '[crio.runtime]\nconmon = "/gone"\n': "crun: invalid conmon path /gone",
    '[crio.runtime]\ncdi_spec_dirs = ["cdi"]\n': "cdi_spec_dirs has 'cdi'",
}


@pytest.mark.parametrize("drop_in", FORBIDDEN)
def test_the_judge_finds_what_cri_o_refuses(drop_in):
    said = problems(merged([MAIN, drop_in]), PROGRAMS)
    assert any(problem.startswith(FORBIDDEN[drop_in]) for problem in said), said


def test_a_later_file_replaces_the_whole_table_of_a_runtime():
    later = '[crio.runtime.runtimes.crun]\nruntime_type = "oci"\n'
    assert merged([MAIN, later])["runtimes"]["crun"] == {"runtime_type": "oci"}
    assert merged([MAIN, later])["default_runtime"] == "crun"


def test_the_judge_has_nothing_against_a_good_file():
    entry = f'{ENTRY}runtime_path = "{PROGRAM}"\nruntime_type = "oci"\nmonitor_path = "{CONMON}"\n'
    assert problems(merged([MAIN, entry]), PROGRAMS) == []


def test_drop_ins_are_read_by_name_and_ours_after_nvidias():
    theirs, ours = "99-nvidia.toml", DROP_IN
    files = {ours: f'{ENTRY}runtime_path = "{PROGRAM}"\n', theirs: f'{ENTRY}runtime_path = "/usr/bin/other"\n'}
    assert program(in_force(MAIN, files), "nvidia") == PROGRAM
    assert program(in_force(MAIN, {**files, "zzz.conf": files[theirs]}), "nvidia") == "/usr/bin/other"


LIKE = {
    "one that inherits": "inherit_default_runtime = true\n",
    "a pod's": 'runtime_type = "pod"\nmonitor_path = "/usr/bin/conmonrs"\nstream_websockets = true\n',
    "a vm's": 'runtime_type = "vm"\nruntime_config_path = "/etc/kata.toml"\n',
    "one for each platform": '[crio.runtime.runtimes.runc.platform_runtime_paths]\n"linux/amd64" = "/opt/runc"\n',
}


@pytest.mark.parametrize("like", LIKE)
def test_our_entry_starts_our_program_whatever_the_one_is_that_it_is_made_like(tmp_path, like):
    base = f'[crio.runtime.runtimes.runc]\nruntime_path = "/usr/bin/runc"\n{LIKE[like]}'
    bench = Bench(str(tmp_path), "crio")
    main = tmp_path / "etc/crio/crio.conf"
    main.parent.mkdir(parents=True)
    main.write_text(f'[crio.runtime]\ndefault_runtime = "runc"\n{base}')
    bench.configure()
    runtime = in_force(main.read_text(), {DROP_IN: bench.read()})
    assert program(runtime, "nvidia") == PROGRAM
    assert [said for said in problems(runtime, PROGRAMS) if said.startswith("nvidia: ")] == []


@pytest.mark.parametrize("default", [False, True])
@pytest.mark.parametrize("name", crio_files.GOOD)
def test_what_we_write_into_any_file_is_what_cri_o_starts_with(tmp_path, name, default):
    before = crio_files.GOOD[name] or ""
    bench = Bench(str(tmp_path), "crio", before)
    bench.configure(default=default)
    runtime = merged([bench.read() or ""])
    mine = {**runtime, "runtimes": {"nvidia": runtime["runtimes"]["nvidia"]}}
    assert (
        problems({**mine, "default_runtime": runtime.get("default_runtime") if default else ""}, {PROGRAM, CONMON})
        == []
    )
    known = set(problems(merged([before]), PROGRAMS))
    assert set(problems(runtime, PROGRAMS)) <= known


@pytest.mark.parametrize("default", [False, True])
def test_a_drop_in_beside_the_packaged_file_too(tmp_path, default):
    bench = Bench(str(tmp_path), "crio")
    bench.configure(default=default)
    runtime = merged([crio_files.PACKAGED, bench.read() or ""])
    assert (
        problems({**runtime, "runtimes": {"nvidia": runtime["runtimes"]["nvidia"], "crun": {}}}, {PROGRAM, CONMON})
        == []
    )
    assert (runtime.get("default_runtime") == "nvidia") == default
