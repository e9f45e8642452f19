"""What we write for CRI-O, judged by CRI-O's own rules; and the judge, by what those rules forbid."""

import pytest

from tests.unit.engines import crio_files
from tests.unit.engines.crio_rules import merged, problems
from tests.unit.engines.harness import PROGRAM, Bench

MAIN = '[crio.runtime]\ndefault_runtime = "crun"\n[crio.runtime.runtimes.crun]\nruntime_path = "/usr/bin/crun"\n'
PROGRAMS = {"/usr/bin/crun", "/usr/bin/runc", PROGRAM}
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
}


@pytest.mark.parametrize("drop_in", FORBIDDEN)
def test_the_judge_finds_what_cri_o_refuses(drop_in):
    said = problems(merged([MAIN, drop_in]), PROGRAMS)
    assert any(problem.startswith(FORBIDDEN[drop_in]) for problem in said), said


def test_a_later_file_replaces_the_whole_table_of_a_runtime():
    later = '[crio.runtime.runtimes.crun]\nruntime_type = "oci"\n'
    assert merged([MAIN, later])["runtimes"]["crun"] == {"runtime_type": "oci"}
    assert merged([MAIN, later])["default_runtime"] == "crun"


@pytest.mark.parametrize("default", [False, True])
@pytest.mark.parametrize("name", crio_files.GOOD)
def test_what_we_write_into_any_file_is_what_cri_o_starts_with(tmp_path, name, default):
    before = crio_files.GOOD[name] or ""
    bench = Bench(str(tmp_path), "crio", before)
    bench.configure(default=default)
    runtime = merged([bench.read() or ""])
    mine = {**runtime, "runtimes": {"nvidia": runtime["runtimes"]["nvidia"]}}
    assert problems({**mine, "default_runtime": runtime.get("default_runtime") if default else ""}, {PROGRAM}) == []
    known = set(problems(merged([before]), PROGRAMS))
    assert set(problems(runtime, PROGRAMS)) <= known


@pytest.mark.parametrize("default", [False, True])
def test_a_drop_in_beside_the_packaged_file_too(tmp_path, default):
    bench = Bench(str(tmp_path), "crio")
    bench.configure(default=default)
    runtime = merged([crio_files.PACKAGED, bench.read() or ""])
    assert problems({**runtime, "runtimes": {"nvidia": runtime["runtimes"]["nvidia"], "crun": {}}}, {PROGRAM}) == []
    assert (runtime.get("default_runtime") == "nvidia") == default
