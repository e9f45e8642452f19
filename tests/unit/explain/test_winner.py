"""The loader's order, in roots made of a few files."""

from collections.abc import Mapping

import pytest

from linkspan.check.eyes import Ledger, live
from linkspan.explain import winner
from linkspan.explain.winner import Candidate, Loader
from linkspan.formats import ldcache, procfs
from linkspan.sim.elfwriter import EM_386, EM_AARCH64, EM_X86_64, shared_object
from tests import hosts

NAME = "libcuda.so.1"
FOLDER = "/usr/lib/x86_64-linux-gnu"
PLACE = f"{FOLDER}/libcuda.so.1"
CACHE = "/etc/ld.so.cache"
GOOD = shared_object(NAME, EM_X86_64)
ROOT_MOUNT = "500 400 0:55 / / rw,relatime - overlay overlay rw\n"


def mounts(*paths: str) -> tuple[procfs.MountPoint, ...]:
    rows = [f"{600 + n} 500 8:1 {path} {path} ro - ext4 /dev/sda1 rw\n" for n, path in enumerate(paths)]
    return tuple(procfs.mountinfo(ROOT_MOUNT + "".join(rows)))


def cache(*places: str, name: str = NAME, machine: int = EM_X86_64) -> bytes:
    return ldcache.render([(name, place, ldcache.flags_for(machine, 64), 0, 0) for place in places])


def look(
    root: object, tree: Mapping[str, str | bytes], *, library_path: str = "", mounted: tuple[str, ...] = ()
) -> tuple[Candidate, ...]:
    hosts.make(root, {f"{FOLDER}/libc.so.6": GOOD, **tree})
    return Loader(live(str(root), Ledger()), library_path, mounts(*mounted), "x86_64").candidates(NAME)


def outcomes(found: tuple[Candidate, ...]) -> list[tuple[str, str]]:
    return [(one.path, one.outcome) for one in found]


def test_the_cache_comes_before_the_loaders_own_folders(tmp_path):
    tree = {
        "/opt/driver/libcuda.so.1": GOOD,
        f"{FOLDER}/libcuda.so.1": GOOD,
        "/etc/ld.so.cache": cache("/opt/driver/libcuda.so.1"),
    }
    found = look(tmp_path, tree)
    assert outcomes(found) == [("/opt/driver/libcuda.so.1", "taken"), (f"{FOLDER}/libcuda.so.1", "never reached")]
    assert found[0].by == "/etc/ld.so.cache names it"


def test_ld_library_path_comes_before_both(tmp_path):
    tree = {
        "/own/libcuda.so.1": GOOD,
        f"{FOLDER}/libcuda.so.1": GOOD,
        "/etc/ld.so.cache": cache(f"{FOLDER}/libcuda.so.1"),
    }
    found = look(tmp_path, tree, library_path="/nowhere:/own")
    assert outcomes(found) == [("/own/libcuda.so.1", "taken"), (f"{FOLDER}/libcuda.so.1", "never reached")]
    assert found[0].by == "LD_LIBRARY_PATH has /own"


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (shared_object(NAME, EM_386), "passed over"),
        (shared_object(NAME, EM_AARCH64), "passed over"),
        (b"", "fails"),
        (b"x" * 20, "fails"),
        (b"no library, but long enough for a header of one, which is sixty-four bytes", "fails"),
    ],
)
def test_what_the_loader_makes_of_a_file_that_is_no_library_for_it(tmp_path, content, outcome):
    found = look(tmp_path, {"/own/libcuda.so.1": content, f"{FOLDER}/libcuda.so.1": GOOD}, library_path="/own")
    rest = "taken" if outcome == "passed over" else "never reached"
    assert outcomes(found) == [("/own/libcuda.so.1", outcome), (f"{FOLDER}/libcuda.so.1", rest)]


def test_whose_a_file_is_says_the_mount_that_it_is_on(tmp_path):
    real = f"{FOLDER}/libcuda.so.550.163.01"
    tree = {real: GOOD, f"{FOLDER}/libcuda.so.1": "-> libcuda.so.550.163.01"}
    (found,) = look(tmp_path, tree, mounted=(real,))
    assert (found.owner, found.host_path, found.kind, found.version) == ("host", real, "driver", "550.163.01")
    other = Loader(live(str(tmp_path), Ledger()), "", mounts(), "x86_64").candidates(NAME)
    assert (other[0].owner, other[0].host_path) == ("image", "")


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("/usr/local/cuda/lib64/stubs/libcuda.so.1", GOOD, "stub"),
        ("/usr/local/cuda/compat/libcuda.so.1", GOOD, "compat"),
        ("/own/libcuda.so.1", b"", "empty"),
        ("/own/libcuda.so.1", GOOD, "other"),
    ],
)
def test_stubs_compatibility_libraries_and_leftovers_are_told_apart(tmp_path, path, content, kind):
    found = look(tmp_path, {path: content}, library_path=path.rpartition("/")[0])
    assert found[0].kind == kind


def test_musl_knows_no_cache(tmp_path):
    hosts.make(
        tmp_path,
        {
            "/lib/ld-musl-x86_64.so.1": GOOD,
            "/usr/lib/libcuda.so.1": GOOD,
            "/elsewhere/libcuda.so.1": GOOD,
            "/etc/ld.so.cache": cache("/elsewhere/libcuda.so.1"),
        },
    )
    loader = Loader(live(str(tmp_path), Ledger()), "", mounts(), "x86_64")
    assert loader.is_musl
    assert outcomes(loader.candidates(NAME)) == [("/usr/lib/libcuda.so.1", "taken")]
    hosts.make(tmp_path, {"/etc/ld-musl-x86_64.path": "/none\n/elsewhere\n"})
    again = Loader(live(str(tmp_path), Ledger()), "", mounts(), "x86_64")
    assert outcomes(again.candidates(NAME)) == [("/elsewhere/libcuda.so.1", "taken")]


def test_links_out_of_the_root_lead_nowhere_but_below_it(tmp_path):
    hosts.make(tmp_path / "host", {"/secret/libcuda.so.1": GOOD})
    hosts.make(
        tmp_path / "root",
        {f"{FOLDER}/libc.so.6": GOOD, f"{FOLDER}/libcuda.so.1": f"-> {tmp_path}/host/secret/libcuda.so.1"},
    )
    assert Loader(live(str(tmp_path / "root"), Ledger()), "", mounts(), "x86_64").candidates(NAME) == ()


def test_a_broken_cache_counts_as_none(tmp_path):
    found = look(tmp_path, {"/etc/ld.so.cache": b"ld.so-1.7.0 and no more", f"{FOLDER}/libcuda.so.1": GOOD})
    assert outcomes(found) == [(f"{FOLDER}/libcuda.so.1", "taken")]


def test_nothing_is_taken_where_nothing_is(tmp_path):
    assert winner.taken(look(tmp_path, {})) is None
